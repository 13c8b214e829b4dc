/* SPDX-License-Identifier: BSD-2-Clause */
/* The old name of xenstore.h. */
#ifndef XENSTORE_COMPAT_XS_H
#define XENSTORE_COMPAT_XS_H

#include "xenstore.h"

#endif
