/*
 * A server that notes when each request arrives and does nothing else: how well a load generator keeps its schedule is told by the far end, not by the
 * generator itself.
 *
 *   sink PORT RATE      RATE: requests a second that the generator was asked for, only to be repeated in the result
 *
 * It answers memcached's text `get KEY` with a value of 100 bytes and HTTP GET and HEAD with two bytes. What is stored (`set`) or asked of a key
 * that begins with "rehearsal" is a generator's warm-up: it is answered, and is no arrival. Prints "ready" when it listens, "first" at the first arrival, and on SIGTERM or SIGINT one line of JSON:
 *
 * The arrivals without the first and the last 5% are held against the even schedule of their own rate, (count - 1) / (last - first). Where that schedule
 * begins is not known from outside, so its 1st percentile of deviation stands for "on time": nearly nothing can be early. What is told is the absolute
 * distance from it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_ARRIVALS 4000000
#define MOST_SOCKETS 20000
#define INPUT_BYTES 16384
/* The shortest request is "get k\r\n", 7 bytes, and its answer 130: what one input buffer asks for fits. */
#define OUTPUT_BYTES (INPUT_BYTES / 7 * 420)
#define VALUE_BYTES 100
#define LONGEST_KEY 250

struct client {
    int length;
    char input[INPUT_BYTES + 1];
};

static double *arrivals;
static long arrived;
static struct client *clients[MOST_SOCKETS];
static char output[OUTPUT_BYTES];
static char value[VALUE_BYTES + 1];
static volatile sig_atomic_t told_to_end;

static void end(int signal_number) {
    (void)signal_number;
    told_to_end = 1;
}

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static void fail(const char *what) {
    fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("cannot listen");
    return listener;
}

static void accept_all(int listener, int poll) {
    int socket, on = 1;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (socket >= MOST_SOCKETS) {
            close(socket);
            continue;
        }
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (!clients[socket] && !(clients[socket] = malloc(sizeof(struct client)))) fail("no memory");
        clients[socket]->length = 0;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = socket};
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    }
}

/* The end of the request that begins here, with its answer appended to the output; NULL while it is not complete. Warm-up is no arrival. */
static char *answer(char *request, char *until, int *answered, int *is_arrival) {
    *is_arrival = 1;
    if (!strncmp(request, "GET ", 4) || !strncmp(request, "HEAD", 4)) {
        char *blank = strstr(request, "\r\n\r\n");
        if (!blank) return NULL;
        *answered += sprintf(output + *answered, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%s", request[0] == 'G' ? "ok" : "");
        return blank + 4;
    }
    char *line_end = memchr(request, '\n', until - request);
    if (!line_end) return NULL;
    long key = line_end - 1 - (request + 4), bytes;
    if (!strncmp(request, "set ", 4)) {
        *is_arrival = 0;
        if (sscanf(request, "set %*s %*s %*s %ld", &bytes) != 1 || bytes < 0 || bytes > INPUT_BYTES / 2) {
            *answered += sprintf(output + *answered, "ERROR\r\n");
            return line_end + 1;
        }
        if (until - line_end - 1 < bytes + 2) return NULL;
        *answered += sprintf(output + *answered, "STORED\r\n");
        return line_end + 1 + bytes + 2;
    }
    if (!strncmp(request, "get rehearsal", 13)) *is_arrival = 0;
    if (!strncmp(request, "get ", 4) && key > 0 && key <= LONGEST_KEY)
        *answered += sprintf(output + *answered, "VALUE %.*s 0 %d\r\n%s\r\nEND\r\n", (int)key, request + 4, VALUE_BYTES, value);
    else
        *answered += sprintf(output + *answered, "ERROR\r\n");
    return line_end + 1;
}

static void serve(int socket) {
    struct client *client = clients[socket];
    ssize_t length = read(socket, client->input + client->length, INPUT_BYTES - client->length);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) {
        close(socket);
        return;
    }
    double at = now_us();
    client->length += length;
    char *until = client->input + client->length;
    *until = 0;
    char *request = client->input, *next;
    int answered = 0, is_arrival;
    while (request < until && (next = answer(request, until, &answered, &is_arrival))) {
        request = next;
        if (!is_arrival) continue;
        if (arrived == 0) say("first");
        if (arrived < MOST_ARRIVALS) arrivals[arrived++] = at;
    }
    client->length = until - request;
    memmove(client->input, request, client->length);
    /* A generator that does not read its answers is of no use here, and is not waited for. */
    if (answered > 0 && write(socket, output, answered) != answered) close(socket);
    else if (client->length == INPUT_BYTES) close(socket);
}

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void tell(double rate) {
    long from = arrived / 20, until = arrived - arrived / 20, count = until - from;
    if (count < 100) {
        printf("{\"requests\":%ld}\n", arrived);
        return;
    }
    double per_second = (count - 1) / (arrivals[until - 1] - arrivals[from]) * 1e6, gap = 1e6 / per_second;
    double *error = malloc(count * sizeof *error);
    if (!error) fail("no memory");
    for (long i = 0; i < count; i++) error[i] = arrivals[from + i] - arrivals[from] - i * gap;
    qsort(error, count, sizeof *error, by_size);
    double on_time = error[count / 100];
    for (long i = 0; i < count; i++) error[i] = fabs(error[i] - on_time);
    qsort(error, count, sizeof *error, by_size);
    long most = 0;
    for (long last = from, first = from; last < until; last++) {
        while (arrivals[last] - arrivals[first] > 1000) first++;
        if (last - first + 1 > most) most = last - first + 1;
    }
    printf("{\"requests\":%ld,\"askedPerSecond\":%.0f,\"perSecond\":%.1f,\"errorUs\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},\"mostInOneMs\":%ld}\n", arrived, rate,
           per_second, error[count / 2], error[(long)(count * 0.99)], error[count - 1], most);
    free(error);
}

int main(int count, char **words) {
    if (count != 3) {
        fprintf(stderr, "usage: sink PORT RATE\n");
        return 2;
    }
    /* Written once, so that no page has to be found while requests arrive. */
    arrivals = malloc(MOST_ARRIVALS * sizeof *arrivals);
    if (!arrivals) fail("no memory");
    memset(arrivals, 0, MOST_ARRIVALS * sizeof *arrivals);
    memset(value, 'x', VALUE_BYTES);
    struct sigaction ending = {.sa_handler = end};
    sigaction(SIGTERM, &ending, NULL);
    sigaction(SIGINT, &ending, NULL);
    signal(SIGPIPE, SIG_IGN);

    int listener = listen_on(atoi(words[1])), poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    say("ready");
    while (!told_to_end) {
        int ready = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) accept_all(listener, poll);
            else serve(events[i].data.fd);
        }
    }
    tell(atof(words[2]));
    return 0;
}
