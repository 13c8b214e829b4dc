/*
 * Where hvd and hv-boot find things: the environment, else a default, else
 * beside themselves. Knows names only.
 */
#ifndef HV_HOSTED_WHERE_H
#define HV_HOSTED_WHERE_H

/* $NAME, or OTHERWISE when it is unset or empty. */
const char *where_env(const char *name, const char *otherwise);

/* The folder of this program, "." when it has none (from a memfd). Valid to the
 * end. */
const char *where_self(void);

#endif
