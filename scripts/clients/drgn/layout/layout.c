// SPDX-License-Identifier: GPL-2.0
#include <linux/maple_tree.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/utsname.h>
#include <linux/xarray.h>

#include "swap.h"
#include "swap_table.h"

MODULE_DESCRIPTION("Debug information of some types");
MODULE_LICENSE("GPL");
