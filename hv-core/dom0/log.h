/*
 * The dom0 kernel's messages: lines on stderr, which is the hypervisor's log.
 * Control bytes are escaped, so strings from a guest may be logged.
 */
#ifndef HV_DOM0_LOG_H
#define HV_DOM0_LOG_H

/* "WHO: text". Preserves errno. */
void dom0_log(const char *who, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
