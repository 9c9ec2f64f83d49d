/*
 * wire: a worse piece of wire, for packets that somebody steers through it.
 *
 * Each device that it makes is a tap. Whatever the kernel sends into it is read, held for a while, lost, doubled, held back or damaged by chance, and written to the same device again,
 * where the kernel takes it for a frame that has come in. Who steers packets into it, and what becomes of them behind it, is not known here: rules of nftables do that.
 *
 *   wire in=DEVICE out=DEVICE like=eth0 delay=USEC jitter=USEC loss=PPM duplicate=PPM reorder=PPM by=USEC corrupt=PPM seed=N way=routes port=N
 *
 * `in` has the hardware address of `like`, so that the kernel takes what comes out of it for its own; `out` has one of its own. Either may be left out. Shares are parts per million. With one
 * seed, chance does the same each time.
 *
 * way=routes is for kernels whose rules cannot send a packet into a device. What comes to `port` is then taken from the wire's own copy of what `like` receives (somebody else drops the packets
 * themselves), and what leaves is routed into `out`, a device without hardware addresses, and sent again by a raw socket under the mark LED_ALREADY. IPv4 only.
 *
 * It says 'ready' on stdout when its devices stand, and ends when its stdin ends: what it holds then goes out at once, in order, and its devices are gone with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_FRAME = 65700, ETHERNET = 14, ADDRESS = 6, MILLION = 1000000 };

/* What keeps a packet from being led around again. */
enum { LED_ALREADY = 0x41660000 };

/* A second of 60,000 packets/s, or 32 MiB: beyond it, packets are lost, as in any queue that is full. */
enum { MOST_HELD = 1 << 16, MOST_BYTES = 32 << 20 };

/* Frames that the kernel holds for us while we wait for a processor: a tenth of a second at 100,000/s. */
enum { QUEUE_LENGTH = 10000 };

struct device {
  /* One for both, when what is read from a device is written back to it. */
  int from, to;
  /* Bytes before the IP header: of Ethernet's, and of the kernel's notes on checksum and length (virtio_net.h). None where only the IP packet is to be had. */
  uint32_t before;
  /* Its hardware address; frames that come from it are no packets of anybody's. */
  int has_own;
  unsigned char own[ADDRESS];
};

struct frame {
  int64_t due_ns;
  /* Of two that are due at one time, the one that came first goes first. */
  uint64_t number;
  struct device *device;
  uint32_t length;
  unsigned char bytes[];
};

static struct device devices[2];
static int device_count;
static struct frame *held[MOST_HELD];
static int held_count;
static size_t held_bytes;
static uint64_t frames_read;

static int64_t delay_ns, jitter_ns, by_ns;
static uint32_t loss_ppm, duplicate_ppm, reorder_ppm, corrupt_ppm;
static uint64_t dice;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* splitmix64: even, fast, and the same for the same seed. */
static uint64_t thrown(void) {
  uint64_t z = (dice += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

static int chance(uint32_t ppm) { return ppm > 0 && thrown() % MILLION < ppm; }

static int earlier(const struct frame *a, const struct frame *b) {
  return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

/* held[] is a binary heap, the earliest first. */
static void hold(struct frame *frame) {
  int at = held_count++;
  held_bytes += frame->length;
  for (; at > 0 && earlier(frame, held[(at - 1) / 2]); at = (at - 1) / 2) held[at] = held[(at - 1) / 2];
  held[at] = frame;
}

static struct frame *take_earliest(void) {
  struct frame *first = held[0], *last = held[--held_count];
  int at = 0;
  for (int child; (child = 2 * at + 1) < held_count; at = child) {
    if (child + 1 < held_count && earlier(held[child + 1], held[child])) child++;
    if (!earlier(held[child], last)) break;
    held[at] = held[child];
  }
  held[at] = last;
  held_bytes -= first->length;
  return first;
}

/* Uniform between delay - jitter and delay + jitter, as the kernel's netem has it when it is given no other distribution. */
static int64_t due_at(int64_t now) {
  int64_t after = delay_ns + (chance(reorder_ppm) ? by_ns : 0);
  if (jitter_ns > 0) after += (int64_t)(thrown() % (uint64_t)(2 * jitter_ns + 1)) - jitter_ns;
  return now + (after > 0 ? after : 0);
}

/* The kernel leaves the checksum of what never leaves the machine to whoever needs it: here, where it has to be right before it is made wrong. */
static void complete_checksum(unsigned char *bytes, uint32_t length) {
  struct virtio_net_hdr notes;
  memcpy(&notes, bytes, sizeof notes);
  if (!(notes.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) return;
  const uint32_t start = (uint32_t)sizeof notes + notes.csum_start, at = start + notes.csum_offset;
  if (at + 2 > length) return;
  uint32_t sum = 0;
  for (uint32_t i = start; i < length; i += 2) sum += (uint32_t)bytes[i] << 8 | (i + 1 < length ? bytes[i + 1] : 0);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  bytes[at] = (unsigned char)(~sum >> 8);
  bytes[at + 1] = (unsigned char)~sum;
  memset(bytes, 0, sizeof notes);
}

/* Turns over one bit behind the IP header, which a checksum of TCP's or UDP's covers: whoever receives it throws it away. */
static void damage(struct frame *frame) {
  const uint32_t covered = frame->device->before + 20;
  if (frame->length <= covered) return;
  if (frame->device->before > ETHERNET) complete_checksum(frame->bytes, frame->length);
  const uint64_t bit = thrown() % ((frame->length - covered) * 8);
  frame->bytes[covered + bit / 8] ^= (unsigned char)(1 << bit % 8);
}

static void keep(struct device *device, const unsigned char *bytes, uint32_t length, int64_t now) {
  if (held_count == MOST_HELD || held_bytes + length > MOST_BYTES) return;
  struct frame *frame = malloc(sizeof *frame + length);
  if (!frame) return;
  frame->due_ns = due_at(now);
  frame->number = frames_read++;
  frame->device = device;
  frame->length = length;
  memcpy(frame->bytes, bytes, length);
  if (chance(corrupt_ppm)) damage(frame);
  hold(frame);
}

static void came(struct device *device, const unsigned char *bytes, uint32_t length, int64_t now) {
  /* The kernel's own chatter on a device that is up: nobody steered it here. */
  if (length <= device->before || (device->has_own && memcmp(bytes + ADDRESS, device->own, ADDRESS) == 0)) return;
  if (chance(loss_ppm)) return;
  keep(device, bytes, length, now);
  if (chance(duplicate_ppm)) keep(device, bytes, length, now);
}

static void let_go(struct frame *frame) {
  /* A device that is down or a kernel without memory loses it, as it would any packet. */
  if (frame->device->before > 0) {
    if (write(frame->device->to, frame->bytes, frame->length) < 0 && errno == EBADFD) fail("a device is gone");
  } else {
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, frame->bytes + 16, sizeof to.sin_addr);
    (void)sendto(frame->device->to, frame->bytes, frame->length, 0, (struct sockaddr *)&to, sizeof to);
  }
  free(frame);
}

/* Takes what there is, a few hundred at most, so that what is due does not wait for a flood. */
static void read_all(struct device *device) {
  static unsigned char bytes[LONGEST_FRAME];
  for (int i = 0; i < 256; i++) {
    const ssize_t length = read(device->from, bytes, sizeof bytes);
    if (length <= 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      fail("reading a device");
    }
    came(device, bytes, (uint32_t)length, now_ns());
  }
}

static struct ifreq request(const char *name) {
  struct ifreq it;
  memset(&it, 0, sizeof it);
  if (strlen(name) >= IFNAMSIZ) {
    fprintf(stderr, "%s: longer than the name of a device may be\n", name);
    exit(2);
  }
  strcpy(it.ifr_name, name);
  return it;
}

static int make_device(const char *name, int flags, int control) {
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq it = request(name);
  it.ifr_flags = (short)(flags | IFF_NO_PI | IFF_TUN_EXCL);
  if (ioctl(fd, TUNSETIFF, &it) < 0) fail("making a device");
  it = request(name);
  it.ifr_qlen = QUEUE_LENGTH;
  if (ioctl(control, SIOCSIFTXQLEN, &it) < 0) fail("its queue");
  return fd;
}

/* As long as it is down, it may still be given another hardware address. */
static void set_up(const char *name, int control) {
  struct ifreq it = request(name);
  it.ifr_flags = IFF_UP | IFF_NOARP;
  if (ioctl(control, SIOCSIFFLAGS, &it) < 0) fail("setting it up");
}

static void hardware_address(const char *of, unsigned char *address, int control) {
  struct ifreq it = request(of);
  if (ioctl(control, SIOCGIFHWADDR, &it) < 0) fail(of);
  memcpy(address, it.ifr_hwaddr.sa_data, ADDRESS);
}

static void make_alike(const char *name, const char *like, int control) {
  struct ifreq it = request(like);
  if (ioctl(control, SIOCGIFHWADDR, &it) < 0) fail(like);
  strcpy(it.ifr_name, name);
  if (ioctl(control, SIOCSIFHWADDR, &it) < 0) fail("its hardware address");
}

/* A copy of each IPv4 packet that `like` receives for a port, whole, before any rule has seen it. */
static int open_copies(const char *like, uint16_t port) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("a packet socket");
  struct sock_filter steps[] = {
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 9),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 6),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14), BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1), BPF_STMT(BPF_RET | BPF_K, LONGEST_FRAME), BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
  const int yes = 1, room = 8 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) fail("a filter");
  if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof yes) < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) < 0) fail("a packet socket");
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0) fail("room for packets");
  const struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(like)};
  if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0) fail(like);
  return fd;
}

static int open_sender(void) {
  const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), mark = LED_ALREADY;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0) fail("a raw socket");
  return fd;
}

static void make_wires(const char *in, const char *out, const char *like, int routed, uint16_t port, int control) {
  if (in) {
    struct device *device = &devices[device_count++];
    device->to = make_device(in, routed ? IFF_TAP | IFF_VNET_HDR : IFF_TAP, control);
    make_alike(in, like, control);
    set_up(in, control);
    device->from = routed ? open_copies(like, port) : device->to;
    device->before = ETHERNET + (routed ? (uint32_t)sizeof(struct virtio_net_hdr) : 0);
    device->has_own = !routed;
    hardware_address(in, device->own, control);
  }
  if (out) {
    struct device *device = &devices[device_count++];
    device->from = make_device(out, routed ? IFF_TUN : IFF_TAP, control);
    set_up(out, control);
    device->to = routed ? open_sender() : device->from;
    device->before = routed ? 0 : ETHERNET;
    device->has_own = !routed;
    if (!routed) hardware_address(out, device->own, control);
  }
}

static uint64_t number_after(const char *text, const char *key, uint64_t most) {
  char *end;
  errno = 0;
  const unsigned long long value = strtoull(text, &end, 10);
  if (errno || end == text || *end || value > most) {
    fprintf(stderr, "%s=%s: write a whole number of 0 to %llu\n", key, text, (unsigned long long)most);
    exit(2);
  }
  return value;
}

int main(int count, char **words) {
  const char *in = NULL, *out = NULL, *like = "eth0";
  dice = (uint64_t)now_ns();
  int routed = 0;
  uint16_t port = 0;
  const uint64_t minute_us = 60 * UINT64_C(1000000);
  for (int i = 1; i < count; i++) {
    char *value = strchr(words[i], '=');
    if (value) *value++ = '\0';
    const char *key = words[i];
    if (value && !strcmp(key, "in")) in = value;
    else if (value && !strcmp(key, "out")) out = value;
    else if (value && !strcmp(key, "like")) like = value;
    else if (value && !strcmp(key, "way") && !strcmp(value, "routes")) routed = 1;
    else if (value && !strcmp(key, "port")) port = (uint16_t)number_after(value, key, UINT16_MAX);
    else if (value && !strcmp(key, "delay")) delay_ns = (int64_t)number_after(value, key, minute_us) * 1000;
    else if (value && !strcmp(key, "jitter")) jitter_ns = (int64_t)number_after(value, key, minute_us) * 1000;
    else if (value && !strcmp(key, "by")) by_ns = (int64_t)number_after(value, key, minute_us) * 1000;
    else if (value && !strcmp(key, "loss")) loss_ppm = (uint32_t)number_after(value, key, MILLION);
    else if (value && !strcmp(key, "duplicate")) duplicate_ppm = (uint32_t)number_after(value, key, MILLION);
    else if (value && !strcmp(key, "reorder")) reorder_ppm = (uint32_t)number_after(value, key, MILLION);
    else if (value && !strcmp(key, "corrupt")) corrupt_ppm = (uint32_t)number_after(value, key, MILLION);
    else if (value && !strcmp(key, "seed")) dice = number_after(value, key, UINT64_MAX);
    else {
      fprintf(stderr, "%s: write in, out, like, delay, jitter, loss, duplicate, reorder, by, corrupt, seed, way or port, each with =VALUE\n", key);
      return 2;
    }
  }
  if (!in && !out) {
    fprintf(stderr, "write in=DEVICE, out=DEVICE or both\n");
    return 2;
  }
  const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (control < 0) fail("a socket");
  make_wires(in, out, like, routed, port, control);
  /* Else the kernel may let us sleep 50 us longer, to wake up less often. */
  prctl(PR_SET_TIMERSLACK, 1);
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) fail("stdout");

  for (;;) {
    struct pollfd ready[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    for (int i = 0; i < device_count; i++) ready[i + 1] = (struct pollfd){.fd = devices[i].from, .events = POLLIN};
    const int64_t rest = held_count ? held[0]->due_ns - now_ns() : 0;
    struct timespec until = {rest > 0 ? rest / 1000000000 : 0, rest > 0 ? rest % 1000000000 : 0};
    if (ppoll(ready, (nfds_t)device_count + 1, held_count ? &until : NULL, NULL) < 0 && errno != EINTR) fail("waiting");
    /* What is due goes first, before and between what comes. */
    for (int64_t now = now_ns(); held_count && held[0]->due_ns <= now;) let_go(take_earliest());
    for (int i = 0; i < device_count; i++)
      if (ready[i + 1].revents) read_all(&devices[i]);
    char byte;
    if (ready[0].revents && read(STDIN_FILENO, &byte, 1) <= 0) break;
  }
  while (held_count) let_go(take_earliest());
  return 0;
}
