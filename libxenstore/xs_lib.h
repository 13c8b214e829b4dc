/* SPDX-License-Identifier: BSD-2-Clause */
/* The old name of xenstore_lib.h. */
#ifndef XENSTORE_COMPAT_XS_LIB_H
#define XENSTORE_COMPAT_XS_LIB_H

#include "xenstore.h"

#endif
