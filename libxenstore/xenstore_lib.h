/* SPDX-License-Identifier: BSD-2-Clause */
/* What others have in a header of its own is in xenstore.h here. */
#ifndef XENSTORE_COMPAT_XENSTORE_LIB_H
#define XENSTORE_COMPAT_XENSTORE_LIB_H

#include "xenstore.h"

#endif
