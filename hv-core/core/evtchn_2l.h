/*
 * Two-level event channels: what the bits of shared_info mean and in which
 * order they are touched. The core delivers with these functions, and so does
 * a guest's runtime that moves events from a doorbell into its own pages.
 *
 * Knows struct shared_info and struct vcpu_info. Does not know ports' bindings,
 * who is asking, or how a vcpu is woken.
 *
 * The sender side stops at the first bit that was set already: whoever set it
 * has done the rest. Everything here is lock-free; both sides may run at once.
 */
#ifndef HV_CORE_EVTCHN_2L_H
#define HV_CORE_EVTCHN_2L_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/xen.h"

#define EVTCHN_2L_WORD(port) ((port) / 64)
#define EVTCHN_2L_BIT(port) (UINT64_C(1) << ((port) % 64))

static inline bool
evtchn_2l_test_and_set(uint64_t *word, uint64_t bit)
{
	return (__atomic_fetch_or(word, bit, __ATOMIC_SEQ_CST) & bit) != 0;
}

static inline bool
evtchn_2l_is_pending(const struct shared_info *si, uint32_t port)
{
	return (__atomic_load_n(&si->evtchn_pending[EVTCHN_2L_WORD(port)],
		    __ATOMIC_SEQ_CST) &
		   EVTCHN_2L_BIT(port)) != 0;
}

static inline bool
evtchn_2l_is_masked(const struct shared_info *si, uint32_t port)
{
	return (__atomic_load_n(
		    &si->evtchn_mask[EVTCHN_2L_WORD(port)], __ATOMIC_SEQ_CST) &
		   EVTCHN_2L_BIT(port)) != 0;
}

static inline void
evtchn_2l_mask(struct shared_info *si, uint32_t port)
{
	__atomic_fetch_or(&si->evtchn_mask[EVTCHN_2L_WORD(port)],
	    EVTCHN_2L_BIT(port), __ATOMIC_SEQ_CST);
}

static inline void
evtchn_2l_clear_pending(struct shared_info *si, uint32_t port)
{
	__atomic_fetch_and(&si->evtchn_pending[EVTCHN_2L_WORD(port)],
	    ~EVTCHN_2L_BIT(port), __ATOMIC_SEQ_CST);
}

/* Puts the word of PORT up for the vcpu. True = evtchn_upcall_pending went
 * from 0 to 1: wake the vcpu. */
static inline bool
evtchn_2l_select(struct vcpu_info *vi, uint32_t port)
{
	if (evtchn_2l_test_and_set(
		&vi->evtchn_pending_sel, UINT64_C(1) << EVTCHN_2L_WORD(port)))
		return false;
	return __atomic_exchange_n(
		   &vi->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST) == 0;
}

/* An event arrived at PORT, which VI's vcpu serves. True = wake the vcpu. */
static inline bool
evtchn_2l_set_pending(
    struct shared_info *si, struct vcpu_info *vi, uint32_t port)
{
	if (evtchn_2l_test_and_set(
		&si->evtchn_pending[EVTCHN_2L_WORD(port)], EVTCHN_2L_BIT(port)))
		return false;
	if (evtchn_2l_is_masked(si, port))
		return false;
	return evtchn_2l_select(vi, port);
}

/* Clears the mask bit; an event that came meanwhile is put up. True = wake the
 * vcpu. */
static inline bool
evtchn_2l_unmask(struct shared_info *si, struct vcpu_info *vi, uint32_t port)
{
	uint64_t bit = EVTCHN_2L_BIT(port);
	uint64_t *mask = &si->evtchn_mask[EVTCHN_2L_WORD(port)];

	if ((__atomic_fetch_and(mask, ~bit, __ATOMIC_SEQ_CST) & bit) == 0)
		return false;
	if (!evtchn_2l_is_pending(si, port))
		return false;
	return evtchn_2l_select(vi, port);
}

/*
 * The receiving side, a guest's upcall: takes every event that is up for VI's
 * vcpu and not masked, clears its pending bit, then calls HANDLE(arg, port).
 * Goes on until nothing is left, or after ROUNDS scans (so that a busy peer
 * cannot hold it for ever; then upcall_pending is set again and the answer is
 * true: call once more).
 */
static inline bool
evtchn_2l_harvest(struct shared_info *si, struct vcpu_info *vi, unsigned rounds,
    void (*handle)(void *arg, uint32_t port), void *arg)
{
	while (rounds-- > 0) {
		uint64_t sel;

		__atomic_store_n(
		    &vi->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
		sel = __atomic_exchange_n(
		    &vi->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
		if (sel == 0)
			return false;
		while (sel != 0) {
			uint32_t w = (uint32_t)__builtin_ctzll(sel);
			uint64_t bits = __atomic_load_n(&si->evtchn_pending[w],
					    __ATOMIC_SEQ_CST) &
					~__atomic_load_n(&si->evtchn_mask[w],
					    __ATOMIC_SEQ_CST);

			sel &= sel - 1;
			__atomic_fetch_and(
			    &si->evtchn_pending[w], ~bits, __ATOMIC_SEQ_CST);
			for (; bits != 0; bits &= bits - 1)
				handle(arg,
				    w * 64 + (uint32_t)__builtin_ctzll(bits));
		}
	}
	__atomic_store_n(&vi->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	return true;
}

#endif
