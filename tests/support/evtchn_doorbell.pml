/*
 * The doorbell of hv-core/hosted/proto.h: pair_post, pair_take, pair_arm.
 *
 * A sender posts N times; a receiver takes, arms, looks once more and sleeps
 * until the bell rings. Each step is one atomic operation of the C code, in its
 * order (those on sel and armed are sequentially consistent).
 *
 * Claim: the receiver never sleeps for ever (an invalid end state) before it
 * has seen what the sender wrote last.
 *
 * -DBROKEN: the receiver looks before it arms. It must be found to sleep for
 * ever with a bit set.
 */
#ifndef N
#define N 3
#endif

bit bits, sel, armed;	/* one port is enough: ports do not interact */
byte bell;		/* the eventfd's count */
byte announced;		/* what the sender wrote before its last post */
byte seen;		/* what the receiver saw when it took the bit */

proctype sender()
{
	byte i = 0;
	bit was;

	do
	:: i < N ->
		i++;
		announced = i;
		bits = 1;
		sel = 1;
		atomic { was = armed; armed = 0 };
		if
		:: was -> bell++
		:: else
		fi
	:: i == N ->
		break
	od
}

proctype receiver()
{
	bit s, b;

take:
	atomic { s = sel; sel = 0 };
	if
	:: s ->
		atomic { b = bits; bits = 0 };
		if
		:: b -> seen = announced
		:: else
		fi
	:: else
	fi;
#ifdef BROKEN
	if
	:: sel -> goto take
	:: else
	fi;
	armed = 1;
#else
	armed = 1;
	if
	:: sel -> armed = 0; goto take
	:: else
	fi;
#endif
	if
	:: seen == N -> goto end
	:: else /* there is more to come */
	fi;
	/* sleep: nothing but the bell wakes us */
	bell > 0 -> bell = 0;
	goto take;
end:
	skip
}

init {
	atomic { run sender(); run receiver() }
}
