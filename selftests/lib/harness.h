/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness, with a time limit per test that also suffices for a
 * debug kernel under software emulation.
 */
#ifndef SELFTESTS_HARNESS_H
#define SELFTESTS_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

/*
 * In a set-up: from here on there is a teardown even if the rest of the set-up
 * fails. For fixtures that change what outlives the test; their teardown is the
 * parent's, and takes it that anything may not have been done.
 */
#define TEARDOWN_FROM_HERE() (*_metadata->no_teardown = false)

#endif
