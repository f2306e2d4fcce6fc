// SPDX-License-Identifier: GPL-2.0
/*
 * Sets or clears PG_anon_exclusive of any page, so that a test can break the rules of
 * PID/violations. For test guests only.
 *
 * /sys/kernel/debug/xpagemap_breaker/set and clear: write "PID ADDRESS", the address in hex
 * without 0x. ESRCH: no such process; EFAULT: no page there; EINVAL: not anonymous, or
 * malformed.
 */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>

static struct dentry *dir;

/* The kernel's functions fire the tracepoint, but do not accept KSM pages. */
static void change(struct page *page, struct vm_area_struct *vma, bool exclusive)
{
	if (folio_test_ksm(page_folio(page)))
		assign_bit(PG_anon_exclusive, &page->flags.f, exclusive);
	else if (exclusive)
		SetPageAnonExclusive(page, vma);
	else
		ClearPageAnonExclusive(page, vma);
}

static int change_at(struct mm_struct *mm, unsigned long addr, bool exclusive)
{
	struct page *page;
	int err = -EFAULT;

	mmap_read_lock(mm);
	if (get_user_pages_remote(mm, addr, 1, 0, &page, NULL) == 1) {
		err = -EINVAL;
		if (PageAnon(page)) {
			change(page, vma_lookup(mm, addr), exclusive);
			err = 0;
		}
		put_page(page);
	}
	mmap_read_unlock(mm);
	return err;
}

static ssize_t breaker_write(struct file *file, const char __user *from, size_t len,
			     loff_t *pos)
{
	bool exclusive = file->private_data;
	struct task_struct *task;
	struct mm_struct *mm;
	unsigned long addr;
	char text[64];
	int pid, err;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, len))
		return -EFAULT;
	text[len] = '\0';
	if (sscanf(text, "%d %lx", &pid, &addr) != 2)
		return -EINVAL;
	rcu_read_lock();
	task = pid_task(find_vpid(pid), PIDTYPE_PID);
	if (task)
		get_task_struct(task);
	rcu_read_unlock();
	if (!task)
		return -ESRCH;
	mm = get_task_mm(task);
	put_task_struct(task);
	if (!mm)
		return -ESRCH;
	err = change_at(mm, addr, exclusive);
	mmput(mm);
	return err ?: len;
}

static const struct file_operations breaker_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = breaker_write,
};

static int __init breaker_init(void)
{
	dir = debugfs_create_dir("xpagemap_breaker", NULL);
	debugfs_create_file("clear", 0200, dir, (void *)false, &breaker_fops);
	debugfs_create_file("set", 0200, dir, (void *)true, &breaker_fops);
	return 0;
}
module_init(breaker_init);

static void __exit breaker_exit(void)
{
	debugfs_remove(dir);
}
module_exit(breaker_exit);

MODULE_DESCRIPTION("Sets and clears PG_anon_exclusive for the tests of xpagemap");
MODULE_LICENSE("GPL");
