// go-flood opens many connections to a memcached server, proves each by one get and its answer, holds them, and tells how long that took and what it cost.
//
// With -reader each connection has a goroutine that waits for bytes, as servers and clients in Go are usually written; without it, a connection is only
// held. Prints one line of JSON.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// What a reader goroutine reads into: an answer of 150 bytes fits several times.
const readerBytes = 1024

type result struct {
	Opened          int64   `json:"opened"`
	Failed          int64   `json:"failed"`
	FirstError      string  `json:"firstError,omitempty"`
	Milliseconds    float64 `json:"ms"`
	PerSecond       float64 `json:"connectionsPerSecond"`
	CPUMicroseconds float64 `json:"cpuUsPerConnection"`
	ResidentBytes   float64 `json:"rssBytesPerConnection"`
}

func main() {
	port := flag.Int("port", 0, "port of the server on 127.0.0.1")
	count := flag.Int("count", 16000, "connections to open")
	atOnce := flag.Int("opening-at-once", 128, "connections that are being opened or proved at a time")
	reader := flag.Bool("reader", false, "a goroutine that reads for each connection")
	key := flag.String("key", "", "a key that is stored")
	valueBytes := flag.Int("value-bytes", 100, "length of its value, all of it the letter x")
	flag.Parse()

	address := "127.0.0.1:" + strconv.Itoa(*port)
	request := []byte("get " + *key + "\r\n")
	answer := []byte(fmt.Sprintf("VALUE %s 0 %d\r\n%s\r\nEND\r\n", *key, *valueBytes, strings.Repeat("x", *valueBytes)))

	connections := make([]net.Conn, *count)
	var next, opened, failed atomic.Int64
	var firstError atomic.Value
	var openers sync.WaitGroup
	runtime.GC()
	residentBefore, cpuBefore, start := resident(), cpu(), time.Now()
	for range *atOnce {
		openers.Add(1)
		go func() {
			defer openers.Done()
			heard := make([]byte, len(answer))
			for {
				i := next.Add(1) - 1
				if i >= int64(*count) {
					return
				}
				connection, err := open(address, request, answer, heard, *reader)
				if err != nil {
					failed.Add(1)
					firstError.CompareAndSwap(nil, err.Error())
					continue
				}
				connections[i] = connection
				opened.Add(1)
			}
		}()
	}
	openers.Wait()
	elapsed := time.Since(start)
	spent := cpu() - cpuBefore
	runtime.GC()

	told := result{Opened: opened.Load(), Failed: failed.Load(), Milliseconds: float64(elapsed.Microseconds()) / 1e3}
	if text, ok := firstError.Load().(string); ok {
		told.FirstError = text
	}
	if told.Opened > 0 {
		told.PerSecond = float64(told.Opened) / elapsed.Seconds()
		told.CPUMicroseconds = float64(spent.Microseconds()) / float64(told.Opened)
		told.ResidentBytes = float64(resident()-residentBefore) / float64(told.Opened)
	}
	line, err := json.Marshal(told)
	if err != nil {
		fail(err)
	}
	fmt.Println(string(line))
	// A reset leaves no port of ours behind in TIME_WAIT for the next round.
	for _, connection := range connections {
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
			_ = tcp.Close()
		}
	}
}

// open dials, asks, and compares the answer with what was stored.
func open(address string, request, answer, heard []byte, reader bool) (net.Conn, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := connection.Write(request); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	if reader {
		proved := make(chan error, 1)
		go read(connection, answer, proved)
		err = <-proved
	} else if _, err = io.ReadFull(connection, heard); err == nil && !bytes.Equal(heard, answer) {
		err = errors.New("the answer is not what was stored")
	}
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return connection, nil
}

// read takes in the first answer, tells whether it was right, and waits for more until the connection ends.
func read(connection net.Conn, answer []byte, proved chan<- error) {
	buffer := make([]byte, readerBytes)
	length, err := io.ReadFull(connection, buffer[:len(answer)])
	if err == nil && !bytes.Equal(buffer[:length], answer) {
		err = errors.New("the answer is not what was stored")
	}
	proved <- err
	for err == nil {
		_, err = connection.Read(buffer)
	}
}

func cpu() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// resident returns the bytes of this process that are in memory.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fail(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		fail(err)
	}
	return pages * int64(os.Getpagesize())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "go-flood:", err)
	os.Exit(1)
}
