/*
 * The most punctual load generator that this machine allows: one thread that does nothing but look at the clock, send what is due and read what came.
 * It measures no latency and takes a whole core; it is the reference for the schedule of real generators.
 *
 *   pacer PORT RATE SECONDS CONNECTIONS
 *
 * Prints one line of JSON: requests sent, bytes of answers, seconds, and how late requests were handed to the kernel.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* 32 bytes of key, as everybody else in these measurements. */
static const char request[] = "get aftershock-bench-key-00010000001\r\n";

/* Answers are read while there is this much time left, and in any case after so many requests: 200 answers of 150 bytes fit any socket's buffer. */
#define SPARE_US 8
#define UNREAD_AT_MOST 200

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void fail(const char *what) {
    fprintf(stderr, "pacer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int connect_to(int port) {
    int connection = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connection < 0 || connect(connection, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

static long read_some(int poll) {
    static char buffer[65536];
    struct epoll_event events[8];
    long bytes = 0;
    int ready = epoll_wait(poll, events, 8, 0);
    for (int i = 0; i < ready; i++) {
        ssize_t length = recv(events[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (length == 0) {
            fprintf(stderr, "pacer: the server closed a connection\n");
            exit(1);
        }
        if (length > 0) bytes += length;
    }
    return bytes;
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(int count, char **words) {
    if (count != 5) {
        fprintf(stderr, "usage: pacer PORT RATE SECONDS CONNECTIONS\n");
        return 2;
    }
    int port = atoi(words[1]), connections = atoi(words[4]);
    double gap_us = 1e6 / atof(words[2]);
    long total = atof(words[2]) * atof(words[3]);
    int *sockets = malloc(connections * sizeof *sockets), poll = epoll_create1(0);
    double *late = calloc(total, sizeof *late);
    if (!sockets || !late || total < 1) fail("no memory");
    memset(late, 1, total * sizeof *late);
    for (int i = 0; i < connections; i++) {
        sockets[i] = connect_to(port);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = sockets[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i], &event);
    }

    double start = now_us() + 10000;
    long sent = 0, bytes = 0, unread = 0;
    while (sent < total) {
        double due = start + sent * gap_us, now = now_us();
        if (now < due) {
            if (due - now > SPARE_US) {
                bytes += read_some(poll);
                unread = 0;
            }
            continue;
        }
        if (send(sockets[sent % connections], request, sizeof request - 1, 0) != sizeof request - 1) fail("cannot send");
        late[sent++] = now_us() - due;
        if (++unread >= UNREAD_AT_MOST) {
            bytes += read_some(poll);
            unread = 0;
        }
    }
    double seconds = (now_us() - start) / 1e6;
    for (double until = now_us() + 200000; now_us() < until;) bytes += read_some(poll);
    qsort(late, total, sizeof *late, by_size);
    printf("{\"sent\":%ld,\"answerBytes\":%ld,\"seconds\":%.4f,\"lateUs\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}}\n", sent, bytes, seconds, late[total / 2],
           late[(long)(total * 0.99)], late[total - 1]);
    return 0;
}
