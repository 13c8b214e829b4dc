/*
 * UDP datagrams counted, and the floor that sends them.
 *
 * bench_udp count PORT MS          datagrams a second that arrive at PORT
 * bench_udp flood ADDRESS PORT BYTES   sends as fast as the socket takes them
 * bench_udp echo PORT              sends back what comes
 * bench_udp ask ADDRESS PORT BYTES WINDOW COUNT
 *     round trips with WINDOW datagrams out: datagrams a second, and for
 *     WINDOW 1 their median time in microseconds
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SAMPLES_MAX 100000

static char buf[2048];
static double samples[SAMPLES_MAX];

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A socket bound to PORT (0: any), whose reads give up after a while. */
static int
open_socket(int port, long give_up_us)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct timeval tv = { give_up_us / 1000000, give_up_us % 1000000 };
	int size = 4 << 20, s = socket(AF_INET, SOCK_DGRAM, 0);

	at.sin_port = htons((uint16_t)port);
	setsockopt(s, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror("bench_udp");
		exit(1);
	}
	return s;
}

static void
connect_to(int s, const char *address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };

	at.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    connect(s, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror(address);
		exit(1);
	}
}

static void
count(int port, double ms)
{
	int s = open_socket(port, 100000);
	uint64_t n = 0;
	double start, end;

	/* What comes first may still be on its way from before. */
	if (recv(s, buf, sizeof(buf), 0) < 0 &&
	    recv(s, buf, sizeof(buf), 0) < 0 &&
	    recv(s, buf, sizeof(buf), 0) < 0) {
		printf("0\n");
		return;
	}
	start = now_us();
	do {
		n += recv(s, buf, sizeof(buf), 0) >= 0;
		end = now_us();
	} while (end - start < ms * 1000);
	printf("%.0f\n", (double)n * 1e6 / (end - start));
}

static void
flood(const char *address, int port, size_t bytes)
{
	int s = open_socket(0, 0);

	connect_to(s, address, port);
	for (;;)
		(void)send(s, buf, bytes, 0);
}

static void
echo(int port)
{
	int s = open_socket(port, 0);

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(
		    s, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n >= 0)
			(void)sendto(s, buf, (size_t)n, 0,
			    (struct sockaddr *)&from, len);
	}
}

static void
ask(const char *address, int port, size_t bytes, int window, int total)
{
	int s = open_socket(0, 200000), out = 0, back = 0, lost = 0;
	double begin = now_us();

	connect_to(s, address, port);
	while (back < total) {
		double t = now_us();

		for (; out < window; out++)
			(void)send(s, buf, bytes, 0);
		if (recv(s, buf, sizeof(buf), 0) < 0) {
			out = 0; /* lost: fill the window anew */
			if (++lost > 20) {
				fprintf(stderr, "bench_udp: no answer\n");
				exit(1);
			}
			continue;
		}
		out--;
		if (back < SAMPLES_MAX)
			samples[back] = now_us() - t;
		back++;
	}
	if (window > 1) {
		printf("%.0f\n", (double)back * 1e6 / (now_us() - begin));
		return;
	}
	qsort(samples, (size_t)back, sizeof(samples[0]), by_value);
	printf("%.1f\n", samples[back / 2]);
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "count") == 0 && argc == 4)
		count(atoi(argv[2]), atof(argv[3]));
	else if (strcmp(mode, "flood") == 0 && argc == 5)
		flood(argv[2], atoi(argv[3]), (size_t)atoi(argv[4]));
	else if (strcmp(mode, "echo") == 0 && argc == 3)
		echo(atoi(argv[2]));
	else if (strcmp(mode, "ask") == 0 && argc == 7 &&
		 atoi(argv[6]) <= SAMPLES_MAX)
		ask(argv[2], atoi(argv[3]), (size_t)atoi(argv[4]),
		    atoi(argv[5]), atoi(argv[6]));
	else {
		fprintf(stderr, "usage: bench_udp count|flood|echo|ask ...\n");
		return 2;
	}
	return 0;
}
