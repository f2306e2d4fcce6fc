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

#endif
