/* SPDX-License-Identifier: GPL-2.0 */
/* Everything in the library. It makes no assertions: those are the tests'. */
#ifndef SELFTESTS_LIB_H
#define SELFTESTS_LIB_H

#include "../xpagemap.h"
#include "cgroup.h"
#include "child.h"
#include "compare.h"
#include "crosscheck.h"
#include "dm.h"
#include "exclusive.h"
#include "filemap.h"
#include "frames.h"
#include "kinds.h"
#include "kpage.h"
#include "ksm.h"
#include "largefile.h"
#include "lookup.h"
#include "migrate.h"
#include "mounted.h"
#include "pattern.h"
#include "pin.h"
#include "region.h"
#include "setting.h"
#include "source.h"
#include "storm.h"
#include "survey.h"
#include "swapdev.h"
#include "swapdisk.h"
#include "text.h"
#include "thp.h"
#include "uffd.h"
#include "uring.h"

#endif
