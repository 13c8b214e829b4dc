/*
 * How the store daemon takes requests in and lets replies out, and how another
 * process goes on after it has been killed at any instruction: the commit log,
 * the flight record (turn and out) and the takeover.
 *
 * One connection. What is received from a socket goes into the flight record;
 * the kernel counts it, and what was written. Requests are of two units each,
 * so that a turn may see half a one; a reply is one unit. The kernel's socket buffer, or the ring, the log
 * and the flight record outlive the daemon; its heap does not. What a follower
 * knows is what the log says. Each step is one system call, one record appended
 * or one store that publishes what was written before it; the daemon may die
 * before each of them, CRASHES times, also while it takes over.
 *
 * Claims, for an honest client: each request that changes state is applied
 * exactly once and in order; each reply arrives exactly once and in order; the
 * daemon never waits for ever with something left to do. For a hostile guest,
 * which rewrites all four ring indices at any time (-DHOSTILE): nothing is
 * copied beyond the ring, no record is applied twice, and the reply of each
 * logged request is put at exactly one place.
 *
 * holds: -DN=3
 * holds: -DRING -DN=3
 * holds: -DHOSTILE -DCRASHES=1 -DGUEST=2 -DEXECS=2
 *
 * Each of these leaves one precaution out, and must be found out:
 *
 * fails: -DNO_OUT             TAKE comes before the out slot is set
 * fails: -DRING -DNO_OUT
 * fails: -DEARLY_TOTAL        input counts as done before its replies are logged
 * fails: -DRING -DEARLY_TOTAL
 * fails: -DUSED_FIRST         turn.used is set before the out slot
 * fails: -DUSED_LAST          turn.used is set after the slot is cleared
 * fails: -DUSED_ALL           used counts requests whose reply is still queued
 * fails: -DUSED_ELSE          used, where it is set, hides what was logged later
 * fails: -DKEEP_TWICE         takeover does not look whether KEEP was written
 * fails: -DLAST_WCHAR         the count of the last one dead, not of the writer
 * fails: -DPART_FORGOTTEN     the reply to a request begun by PART is not logged
 * fails: -DNO_REPLY_FIRST     a REQUEST overtakes unlogged replies
 * fails: -DPART_FIRST         a PART overtakes unlogged replies
 * fails: -DRECV_FIRST         a turn begins after its input was received
 * fails: -DSTASH_TWICE        takeover does not look whether STASH was written
 * fails: -DUNSTASH_TWICE      nor whether UNSTASH was
 * fails: -DHOSTILE -DREAD_TWICE  an index is read again after it was checked
 */
#ifdef HOSTILE
#define RING
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef EXECS
#define EXECS 3		/* HOSTILE: requests that are looked at */
#endif
#ifndef N
#define N 2		/* requests */
#endif
#define UNITS (2 * N)
#define RSIZE 2		/* replies that the ring holds */
#define QSIZE 4		/* units that the ring holds */
#define BIT(i) (1 << (i))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define NONE 15

/* ----------------------------------------- what outlives the daemon: kernel */
byte avail;		/* units sent so far; the ring's req_prod */
byte consumed;		/* units received, which the kernel counts for us;
			 * the ring's req_cons */
byte rsp_prod, rsp_cons;
byte rsp[8];		/* what stands at each place of the response ring */
byte expect;		/* the reply that the client must see next */
byte wchar[CRASHES + 1];/* bytes written, by daemon; /proc tells the dead's */

/* ------------------------------------------------- log and flight: follower */
byte f_q, f_kept;	/* replies, as sets: they are ordered by number */
bit f_part;		/* half a request has been logged */
byte f_stash, f_stash_at; /* units received and not used, and where they begin */
byte logb;		/* the largest b since the turn began */
bit l_take, l_keep, l_sent; /* written since the slot's seq */
bit l_unstash;		/* written since the turn's seq */
byte applied;		/* requests that the log has applied */

bit turn;		/* active */
bit turn_stash;		/* its input is what was stashed */
byte turn_start;	/* received before it; the ring's req_cons */
byte turn_used, turn_total;
bit out;		/* active */
bit out_kept;		/* it is kept output, not of the queue */
bit out_turn;		/* of the turn */
byte scratch, out_now, out_n, out_used, out_before, out_prod, out_epoch;

/* ------------------------------------------------------------ ghosts, limits */
byte epoch;		/* deaths so far */
byte writes;		/* requests that change state, as a set: chosen once */
byte execs;		/* HOSTILE: instances of requests */
byte at[8];		/* HOSTILE: where a reply was put */
bit ended;

/* -------------------------------------------------------- the daemon's heap */
byte q, ul, kept;	/* queue; of it, not logged; output kept */
bit part;
byte upto[8];
byte got, base, pos, id, i, k, cur, rest, room, done;

#ifdef RING
#define ROOM (rsp_prod - rsp_cons < RSIZE && rsp_prod - rsp_cons >= 0)
#else
#define ROOM true /* a write that finds none is a short one */
#endif

#define DIE if :: epoch < CRASHES -> goto dead :: true fi

/* The lowest K of the set FROM are put into TO. */
inline lowest(from, count, to)
{
	to = 0;
	k = 0;
	i = 0;
	do
	:: i < 8 && k < count && (from & BIT(i)) -> to = to | BIT(i); k++; i++
	:: i < 8 && k < count && !(from & BIT(i)) -> i++
	:: else -> break
	od
}

inline count(set, result)
{
	result = 0;
	i = 0;
	do
	:: i < 8 -> result = result + ((set >> i) & 1); i++
	:: else -> break
	od
}

/* ------------------------------------------------------------------ records */

inline log_request(n, b)
{
	atomic {
		assert(!(applied & BIT(n)));
#ifndef HOSTILE
		assert((applied & BIT(n)) == 0 && applied < BIT(n));
#endif
		applied = applied | BIT(n);
		f_q = f_q | BIT(n);
		f_part = 0;
		logb = b
	}
}

inline log_reply(n, b)
{
	atomic {
		assert(!(f_q & BIT(n)) && !(f_kept & BIT(n)));
		f_q = f_q | BIT(n);
		f_part = 0;
		logb = b
	}
}

inline log_take(set)
{
	atomic {
		assert((f_q & (set)) == (set));
		f_q = f_q & ~(set);
		l_take = 1
	}
}

/* -------------------------------------------------------------------- output */

/* write(2) of the lowest COUNT of SET: the client sees them. */
inline deliver(set, n)
{
	i = 0;
	k = 0;
	do
	:: i < 8 && k < n ->
		if
		:: set & BIT(i) ->
			assert(i == expect);
			expect++;
			k++
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* The lowest N of SET to the ring, from place P on. */
inline copy_out(set, n, p)
{
	assert(n <= RSIZE);
	i = 0;
	k = 0;
	do
	:: i < 8 && k < n ->
		if
		:: set & BIT(i) ->
			rsp[(p + k) % 8] = i;
#ifdef HOSTILE
			assert(at[i] == NONE || at[i] == (p + k) % 8);
			at[i] = (p + k) % 8;
#endif
			k++
		:: else
		fi;
		i++
	:: else -> break
	od
}

/* What the ring has room for; 0 also if its indices make no sense. */
inline find_room()
{
	out_prod = rsp_prod;
	room = out_prod - rsp_cons;
	if
	:: room > RSIZE -> room = 0
	:: else -> room = RSIZE - room
	fi
}

inline clear_out()
{
	atomic {
		out = 0;
		/* the rest means nothing now: fewer states to look at */
		out_kept = 0; out_turn = 0; scratch = 0; out_now = 0; out_n = 0;
		out_used = 0; out_before = 0; out_prod = 0;
		out_epoch = 0; rest = 0; room = 0; i = 0; k = 0;
		l_take = 0; l_keep = 0; l_sent = 0
	}
}

/*
 * The out slot is set; one store publishes it. Of the queue at least one item
 * is taken, for a ring perhaps more than it has room for.
 */
inline set_out(from, is_kept)
{
	atomic {
#ifdef RING
		find_room();
#endif
		count(from, out_n);
		if
		:: out_n > 1 -> out_n = 1
		:: true
		fi;
		lowest(from, out_n, scratch);
#ifdef RING
		out_now = (room < out_n -> room : out_n);
#endif
		out_kept = is_kept;
		out_turn = turn;
		out_epoch = epoch;
		out_before = wchar[epoch];
		l_take = 0; l_keep = 0; l_sent = 0; /* of what follows */
		out_used = 0;
		i = 0;
		do
		:: i < 8 ->
			if
			:: turn && (scratch & ul & BIT(i)) -> out_used = upto[i]
			:: else
			fi;
			i++
		:: else -> break
		od;
#ifdef USED_ALL
		out_used = pos;
#endif
		rest = 0
	}
}

/* Send what the slot holds: REST is what did not go. */
inline push_out()
{
#ifdef RING
	atomic { copy_out(scratch, out_now, out_prod) };
	DIE;
	rsp_prod = out_prod + out_now
#else
	atomic {
		/* any number of bytes, as the socket has room */
		out_now = out_kept; /* it waits until there is some room */
		do
		:: out_now < out_n -> out_now++
		:: break
		od;
		deliver(scratch, out_now);
		wchar[epoch] = wchar[epoch] + out_now;
		lowest(scratch, out_now, rest);
		rest = scratch & ~rest
	}
#endif
}

inline log_keep()
{
	atomic {
		assert(f_kept == 0);
		f_kept = rest;
		l_keep = 1
	}
}

inline forget_upto()
{
	i = 0;
	do
	:: i < 8 && !(ul & BIT(i)) -> upto[i] = 0; i++
	:: i < 8 && (ul & BIT(i)) -> i++
	:: else -> i = 0; break
	od
}

inline note_used()
{
	turn_used = (out_turn -> MAX(turn_used, out_used) : turn_used)
}

/* The slot is let go of; what its input was counts as done. */
inline end_out()
{
#ifndef USED_LAST
	note_used();
	DIE;
	clear_out();
	DIE
#else
	out = 0;
	DIE;
	note_used();
	clear_out();
	DIE
#endif
}

inline send_queue()
{
#ifdef USED_FIRST
	if
	:: turn && ul ->
		atomic {
			i = 0;
			do
			:: i < 8 && (ul & BIT(i)) -> turn_used = upto[i]; i++
			:: i < 8 && !(ul & BIT(i)) -> i++
			:: else -> break
			od
		};
		DIE
	:: else
	fi;
#endif
	set_out(q, 0);
#ifndef NO_OUT
	out = 1;
	DIE;
	log_take(scratch & ~ul);
#else
	log_take(scratch & ~ul);
	DIE;
	out = 1;
#endif
	atomic { q = q & ~scratch; ul = ul & ~scratch; forget_upto() };
	DIE;
#ifdef RING
	atomic { lowest(scratch, out_now, rest); rest = scratch & ~rest };
	if
	:: rest -> log_keep(); kept = rest; DIE
	:: else
	fi;
	convert();
	push_out();
	DIE;
#else
	convert();
	push_out();
	DIE;
	if
	:: rest -> log_keep(); kept = rest; DIE
	:: else
	fi;
#endif
	end_out()
}

inline log_sent()
{
	atomic {
		f_kept = rest;
		l_sent = 1
	}
}

inline send_kept()
{
	set_out(kept, 1);
	out = 1;
	DIE;
#ifdef RING
	atomic { lowest(scratch, out_now, rest); rest = kept & ~rest };
	log_sent();
	kept = rest;
	DIE;
	push_out();
	DIE;
#else
	push_out();
	rest = rest | (kept & ~scratch);
	DIE;
	log_sent();
	kept = rest;
	DIE;
#endif
	end_out()
}

/* --------------------------------------------------------------------- input */

/* Every unlogged reply that waits becomes a record. */
inline convert()
{
	id = 0;
	do
	:: ul == 0 -> break
	:: ul && (ul & BIT(id)) ->
		log_reply(id, upto[id]);
		atomic { ul = ul & ~BIT(id); upto[id] = 0 };
		DIE
	:: ul && !(ul & BIT(id)) -> id++
	od;
	id = 0
}

/* The request that ends at POS of the turn. BEGUN: its start was a PART. */
inline execute(begun)
{
#ifdef HOSTILE
	cur = execs;
	execs++;
	if
	:: writes = writes | BIT(cur)
	:: true
	fi;
#else
	cur = (base + pos - 1) / 2;
	assert(cur < N);
#endif
	if
	:: writes & BIT(cur) ->
#ifndef NO_REPLY_FIRST
		convert();
#endif
		log_request(cur, pos);
		q = q | BIT(cur);
		DIE
	:: else ->
		assert(!(q & BIT(cur)));
		q = q | BIT(cur);
		ul = ul | BIT(cur);
		upto[cur] = pos;
#ifndef PART_FORGOTTEN
		if
		:: begun -> convert()
		:: else
		fi
#endif
	fi
}

inline take_in()
{
	pos = 0;
	do
	:: pos < got && part ->
		pos++;
		part = 0;
		execute(true)
	:: pos + 1 < got && !part ->
		pos = pos + 2;
		execute(false)
	:: pos + 1 == got && !part ->
#ifndef PART_FIRST
		convert();
#endif
		pos++;
		part = 1;
		atomic { f_part = 1; logb = pos };
		DIE
	:: pos > 0 -> break /* enough for one turn, or all there is */
#ifdef HOSTILE
	:: execs >= EXECS -> break
#endif
	od
}

inline clear_turn()
{
	atomic {
		turn = 0;
		turn_stash = 0; turn_start = 0; turn_used = 0; turn_total = 0;
		logb = 0; l_unstash = 0;
		base = 0; pos = 0; got = 0; cur = 0; id = 0; done = 0
	}
}

inline set_turn()
{
	atomic {
		turn_start = consumed;
		turn_stash = f_stash > 0;
		turn_used = 0; turn_total = 0; logb = 0; l_unstash = 0;
		turn = 1
	}
}

#ifdef RING
inline begin_turn()
{
	atomic {
		base = consumed;
		got = avail - base
	};
	if
	:: got > QSIZE -> goto broken_ring
	:: got == 0 -> goto serve
	:: else
	fi;
#ifdef READ_TWICE
	atomic { got = avail - base };
	if
	:: got == 0 -> goto serve
	:: else
	fi;
#endif
	assert(got <= QSIZE); /* it is copied out of the ring now */
	atomic { set_turn(); turn_start = base };
	DIE
}
#else
/* What was received lies in the flight record, too: all of it is found there. */
inline receive()
{
	atomic {
		base = consumed;
		got = avail - base;
		consumed = avail
	}
}

inline begin_turn()
{
	if
	:: f_stash ->
		set_turn();
		base = f_stash_at;
		got = f_stash
	:: else ->
#ifdef RECV_FIRST
		receive();
		DIE;
		set_turn();
		turn_start = base
#else
		set_turn();
		DIE;
		receive()
#endif
	fi;
	DIE
}
#endif

/* A record: what was received from unit POS of the turn on is not used yet. */
inline log_stash(from, n, b)
{
	atomic {
#ifndef STASH_TWICE
		assert(f_stash == 0);
#endif
		f_stash_at = from;
		f_stash = n;
		logb = b
	}
}

inline log_unstash(n)
{
	atomic {
		assert(n <= f_stash);
		f_stash = f_stash - n;
		f_stash_at = (f_stash -> f_stash_at + n : 0);
		l_unstash = 1
	}
}

inline end_turn()
{
#ifndef EARLY_TOTAL
	convert();
	DIE;
#endif
	turn_total = pos;
	DIE;
#ifdef EARLY_TOTAL
	convert();
	DIE;
#endif
#ifdef RING
	consumed = turn_start + pos;
#else
	if
	:: turn_stash -> log_unstash(pos)
	:: !turn_stash && pos < got ->
		log_stash(base + pos, got - pos, got)
	:: else
	fi;
#endif
	DIE;
	clear_turn()
}

/* ------------------------------------------------------------------ takeover */

inline take_over_out()
{
	if
	:: out ->
#ifdef RING
		atomic { copy_out(scratch, out_now, out_prod) };
		DIE;
		rsp_prod = out_prod + out_now;
		DIE;
#else
#ifdef LAST_WCHAR
		out_now = wchar[epoch - 1] - out_before;
#else
		out_now = wchar[out_epoch] - out_before;
#endif
		if
		:: out_now > out_n -> out_now = out_n
		:: else
		fi;
#endif
		if
		:: !out_kept && !l_take -> log_take(scratch & f_q); DIE
		:: else
		fi;
		atomic { lowest(scratch, out_now, rest); rest = scratch & ~rest };
		if
		:: out_kept && !l_sent ->
			rest = rest | (f_kept & ~scratch);
			log_sent();
			DIE
#ifdef KEEP_TWICE
		:: !out_kept && rest ->
#else
		:: !out_kept && rest && !l_keep ->
#endif
			log_keep();
			DIE
		:: else
		fi;
		end_out()
	:: else
	fi
}

inline take_over_turn()
{
	if
	:: turn ->
#ifdef USED_ELSE
		done = (turn_used -> turn_used : MAX(turn_total, logb));
#else
		done = MAX(turn_used, MAX(turn_total, logb));
#endif
#ifdef RING
		consumed = turn_start + done;
#else
		got = consumed - turn_start;
#ifdef STASH_TWICE
		done = MAX(turn_used, turn_total);
#endif
		if
#ifdef UNSTASH_TWICE
		:: turn_stash -> log_unstash(done)
#else
		:: turn_stash && !l_unstash -> log_unstash(done)
#endif
		:: !turn_stash && done < got ->
			log_stash(turn_start + done, got - done, got)
		:: else /* the dead one has done it */
		fi;
#endif
		DIE;
		clear_turn()
	:: else
	fi
}

/* ----------------------------------------------------------------- processes */

proctype daemon()
{
serve:
	do
	:: kept && ROOM -> send_kept()
	:: !kept && q && ROOM -> send_queue()
#ifdef HOSTILE
	:: ended -> break
	:: !kept && !q && execs < EXECS && avail != consumed ->
#else
	:: !kept && !q && expect == N && consumed == UNITS && !f_stash -> break
	:: !kept && (consumed < avail || f_stash) ->
#endif
		begin_turn();
		take_in();
		/* as many batches as the output takes, or none */
		do
		:: !kept && q && ROOM -> send_queue()
		:: break
		od;
		end_turn()
	od;
#ifdef HOSTILE
	/* the reply of what is logged has been put somewhere, or waits */
	i = 0;
	do
	:: i < 8 ->
		assert(!(applied & BIT(i)) || at[i] != NONE ||
		    ((q | kept) & BIT(i)));
		i++
	:: else -> break
	od;
#endif
broken_ring: /* the connection is over: the ring's error state */
	goto end;

dead:	/* the heap is gone; a follower is promoted */
	atomic {
		epoch++;
		q = f_q;
		kept = f_kept;
		part = f_part;
		ul = 0;
		forget_upto();
		base = 0; pos = 0; got = 0; cur = 0; id = 0; k = 0; rest = 0;
		room = 0; done = 0
	};
	take_over_out();
	DIE;
	take_over_turn();
	DIE;
	atomic { q = f_q; kept = f_kept };
	goto serve;
end:
	skip
}

#ifdef HOSTILE
/* Any index, any time: GUEST times. */
#ifndef GUEST
#define GUEST 3
#endif
proctype guest()
{
	byte n, v;

	do
	:: n < GUEST ->
		atomic {
			n++;
			if
			:: v = 0
			:: v = 2
			:: v = 3
			:: v = 5
			fi;
			if
			:: avail = v
			:: consumed = v
			:: rsp_cons = v
			:: rsp_prod = v
			fi;
			v = 0
		}
	:: n == GUEST -> break
	od;
	ended = 1
}
#else
proctype client()
{
	do
#ifdef RING
	:: avail < UNITS && avail - consumed < QSIZE -> avail++
	:: rsp_cons != rsp_prod ->
		atomic {
			assert(rsp[rsp_cons % 8] == expect);
			expect++;
			rsp_cons++
		}
#else
	:: avail < UNITS -> avail++
#endif
	:: avail == UNITS && expect == N -> break
	od
}
#endif

init {
	atomic {
		byte n;

		for (n : 0 .. 7) {
			at[n] = NONE
		}
#ifdef HOSTILE
		avail = QSIZE;
		run guest();
#else
		/* which requests change state */
		for (n : 0 .. N - 1) {
			if
			:: writes = writes | BIT(n)
			:: true
			fi
		}
		run client();
#endif
		run daemon()
	}
}
