package main

import (
	"math"
	"math/rand"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// slowShare delays a share of the pieces of a stream, as they come, by latency +/- jitter. (Toxiproxy's own toxicity is drawn once for a connection, which is then slow for good or never.)
//
// A stream keeps its order, so whoever comes behind a delayed piece waits with it: on a connection with many requests under way that is the most of them. Those behind are therefore a part of
// the share. While the first piece of a slow spell is held, each that comes has a delay of its own; what is still behind those is held up only; and when all are gone, as many more pieces pass
// at once as make the share right. Where requests come one at a time each spell is one piece long, and this is a draw for each request, independent of all others.
type slowShare struct {
	// Milliseconds.
	Latency int64 `json:"latency"`
	Jitter  int64 `json:"jitter"`
	// Parts in a million.
	Share int64 `json:"share"`
}

func (t *slowShare) GetBufferSize() int {
	return 1024
}

func (t *slowShare) delay() time.Duration {
	delay := t.Latency
	if t.Jitter > 0 {
		delay += rand.Int63n(2*t.Jitter+1) - t.Jitter
	}
	return time.Duration(delay) * time.Millisecond
}

// How many pieces pass after so many slow ones: for each of them the number of draws that fail before one succeeds.
func (t *slowShare) pause(slow int) int {
	share := float64(t.Share) / 1e6
	if share >= 1 {
		return 0
	}
	if share <= 0 {
		return math.MaxInt
	}
	pass := 0
	for ; slow > 0; slow-- {
		pass += int(math.Log(1-rand.Float64()) / math.Log1p(-share))
	}
	return pass
}

func (t *slowShare) Pipe(stub *toxics.ToxicStub) {
	pass := t.pause(1)
	slow := 0
	// A piece that came before spellEnds has a delay of its own; one that came before lastGone waits behind another.
	var spellEnds, lastGone time.Time
	for {
		select {
		case <-stub.Interrupt:
			return
		case piece := <-stub.Input:
			if piece == nil {
				stub.Close()
				return
			}
			came := piece.Timestamp
			due := came
			switch {
			case came.Before(spellEnds):
				due = came.Add(t.delay())
				slow++
			case came.Before(lastGone):
				slow++
			default:
				if slow > 0 {
					pass, slow = t.pause(slow), 0
				}
				if pass > 0 {
					pass--
				} else {
					due = came.Add(t.delay())
					spellEnds = due
					slow = 1
				}
			}
			if !hold(stub, piece, due) {
				return
			}
			if slow > 0 {
				lastGone = time.Now()
			}
		}
	}
}

// hold hands a piece on when it is due, or at once when the toxic is to be changed or removed: false then.
func hold(stub *toxics.ToxicStub, piece *stream.StreamChunk, due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		stub.Output <- piece
		return true
	}
	select {
	case <-time.After(wait):
		// The next toxic in the row measures from here.
		piece.Timestamp = due
		stub.Output <- piece
		return true
	case <-stub.Interrupt:
		stub.Output <- piece
		return false
	}
}

func init() {
	toxics.Register("slow_share", new(slowShare))
}
