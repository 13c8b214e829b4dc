/* What http.c (connections and requests) and http_answer.c share. */
#ifndef FILESERVER_HTTP_INT_H
#define FILESERVER_HTTP_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs.h"
#include "http_parse.h"
#include "page.h"

#define HEAD_MAX 8192

struct pbuf;
struct tcp_pcb;

enum conn_state {
	CONN_HEAD,   /* reading a request's head */
	CONN_BODY,   /* reading a PUT's file */
	CONN_SEND,   /* sending head and body of the answer */
	CONN_LINGER, /* answered for the last time: waiting for the peer */
	CONN_OVER,   /* to be closed */
};

struct conn {
	struct conn *next;
	struct tcp_pcb *pcb; /* NULL once lwIP has dropped it */
	enum conn_state state;
	struct pbuf *in;   /* received, not yet looked at */
	size_t in_pbufs;   /* how many those are */
	size_t in_skip;	   /* bytes of the first pbuf that are used up */
	int peer_done;	   /* the peer has sent its last byte */
	unsigned int idle; /* half seconds without anything moving */
	bool fin_sent;
	bool abort; /* what TCP still has to send is not worth keeping */

	char head[HEAD_MAX];
	size_t head_len;
	struct http_request req;
	struct fs_writer *writer;
	uint64_t body_left;

	struct page out; /* head, and the body if it is a page */
	size_t out_sent;
	struct fs_file *file;
	uint64_t file_at;
};

/* Lets go of the answer that was under way. */
void http_answer_reset(struct conn *c);
/* Each of these begins an answer: C is in CONN_SEND afterwards. */
void http_answer_status(struct conn *c, int status);
void http_answer_get(struct conn *c);

/* The status that tells fs.h's error ERR. */
int http_status_of(int err);

#endif
