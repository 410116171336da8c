// SPDX-License-Identifier: GPL-2.0
/*
 * Loses memory on purpose. What is lost depends on `what`:
 *
 *   pages    whole pages of `order`, which no file of the kernel accounts for
 *   kmalloc  objects of kmalloc, which are slab
 *   vmalloc  areas of vmalloc
 *   percpu   per-CPU memory
 *   refs     page cache that is dropped while a reference to each page is kept: off the lists, never freed
 *
 * `rate` KiB go each second, in a part every `part_ms`, give or take up to `noise` percent, and each second `growth`
 * percent more; `step` KiB at once every `step_secs`; no more than `max` KiB; nothing after `secs`. Writing 1 to
 * `release`, or unloading, gives all of it back.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define NO_RESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define NO_RESERVE VM_NORESERVE
#endif

#define PERCPU_BYTES 4096
#define VMALLOC_BYTES (64 * 1024)

static char *what = "pages";
module_param(what, charp, 0444);
static unsigned int order;
module_param(order, uint, 0444);
static int node = NUMA_NO_NODE;
module_param(node, int, 0444);
static unsigned int object = 1024;
module_param(object, uint, 0444);
MODULE_PARM_DESC(object, "bytes of an object of kmalloc");
static unsigned int rate = 1024;
module_param(rate, uint, 0644);
static unsigned int part_ms = 100;
module_param(part_ms, uint, 0444);
MODULE_PARM_DESC(part_ms, "from one part to the next; a machine that sleeps long between them gets through hours sooner");
static unsigned int growth;
module_param(growth, uint, 0644);
static unsigned int noise;
module_param(noise, uint, 0644);
static unsigned int step;
module_param(step, uint, 0644);
static unsigned int step_secs = 10;
module_param(step_secs, uint, 0644);
static unsigned int secs;
module_param(secs, uint, 0644);
MODULE_PARM_DESC(secs, "how long it goes on, 0 for ever");
static unsigned long max = 512 * 1024;
module_param(max, ulong, 0644);
static unsigned long lost;
module_param(lost, ulong, 0444);
MODULE_PARM_DESC(lost, "KiB that are lost by now");

/* One thing that is lost. kmalloc keeps it in the object itself, all others beside it. */
struct loss {
	struct list_head list;
	void *thing;
};

struct way {
	const char *name;
	/* Loses something and says how many bytes; 0 if there is none left. */
	unsigned long (*lose)(struct loss **loss);
	void (*give_back)(struct loss *loss);
};

static LIST_HEAD(losses);
static DEFINE_MUTEX(lock);
static struct task_struct *thread;
static const struct way *way;

static struct loss *new_loss(void *thing)
{
	struct loss *loss = thing ? kmalloc(sizeof(*loss), GFP_KERNEL) : NULL;

	if (loss)
		loss->thing = thing;
	return loss;
}

/* Pages are strung together by themselves, so that the book-keeping does not show in the slab. */
static LIST_HEAD(lost_pages);

static unsigned long lose_pages(struct loss **loss)
{
	struct page *page = node == NUMA_NO_NODE ?
		alloc_pages(GFP_KERNEL | __GFP_NOWARN, order) :
		alloc_pages_node(node, GFP_KERNEL | __GFP_NOWARN | __GFP_THISNODE, order);

	if (!page)
		return 0;
	list_add(&page->lru, &lost_pages);
	return PAGE_SIZE << order;
}

static void give_back_pages(struct loss *loss)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &lost_pages, lru) {
		list_del(&page->lru);
		__free_pages(page, order);
	}
}

static unsigned long lose_kmalloc(struct loss **loss)
{
	*loss = kmalloc(max_t(size_t, object, sizeof(**loss)), GFP_KERNEL);
	return *loss ? ksize(*loss) : 0;
}

static void give_back_kmalloc(struct loss *loss)
{
	kfree(loss);
}

static unsigned long lose_vmalloc(struct loss **loss)
{
	void *area = vmalloc(VMALLOC_BYTES);

	*loss = new_loss(area);
	if (!*loss)
		vfree(area);
	return *loss ? VMALLOC_BYTES : 0;
}

static void give_back_vmalloc(struct loss *loss)
{
	vfree(loss->thing);
	kfree(loss);
}

static unsigned long lose_percpu(struct loss **loss)
{
	void __percpu *area = __alloc_percpu(PERCPU_BYTES, 8);

	*loss = new_loss((__force void *)area);
	if (!*loss)
		free_percpu(area);
	return *loss ? (unsigned long)PERCPU_BYTES * num_possible_cpus() : 0;
}

static void give_back_percpu(struct loss *loss)
{
	free_percpu((__force void __percpu *)loss->thing);
	kfree(loss);
}

/* A file in memory is filled and cut off again, while we hold on to its page. */
static struct file *victim;
static pgoff_t victim_index;

static unsigned long lose_refs(struct loss **loss)
{
	loff_t at = (loff_t)victim_index << PAGE_SHIFT;
	struct page *page = shmem_read_mapping_page(victim->f_mapping, victim_index);

	if (IS_ERR(page))
		return 0;
	*loss = new_loss(page);
	truncate_inode_pages_range(victim->f_mapping, at, at + PAGE_SIZE - 1);
	shmem_truncate_range(file_inode(victim), at, at + PAGE_SIZE - 1);
	victim_index++;
	if (!*loss) {
		put_page(page);
		return 0;
	}
	return PAGE_SIZE;
}

static void give_back_refs(struct loss *loss)
{
	put_page(loss->thing);
	kfree(loss);
}

static const struct way ways[] = {
	{ "pages", lose_pages, NULL },
	{ "kmalloc", lose_kmalloc, give_back_kmalloc },
	{ "vmalloc", lose_vmalloc, give_back_vmalloc },
	{ "percpu", lose_percpu, give_back_percpu },
	{ "refs", lose_refs, give_back_refs },
};

/* Loses that much or a little more, and says how much. */
static unsigned long lose(s64 kib)
{
	unsigned long before = lost, bytes = 0;

	while ((s64)(bytes >> 10) < kib && lost < max && !kthread_should_stop()) {
		struct loss *loss = NULL;
		unsigned long part = way->lose(&loss);

		if (!part)
			break;
		if (loss)
			list_add(&loss->list, &losses);
		bytes += part;
		lost = before + (bytes >> 10);
		cond_resched();
	}
	return bytes >> 10;
}

static void give_all_back(void)
{
	struct loss *loss, *next;

	mutex_lock(&lock);
	give_back_pages(NULL);
	list_for_each_entry_safe(loss, next, &losses, list) {
		list_del(&loss->list);
		way->give_back(loss);
	}
	lost = 0;
	mutex_unlock(&lock);
}

static s64 noisy(s64 kib)
{
	u32 width = kib > 0 ? (u32)kib * noise / 100 : 0;

	return width ? kib - width + get_random_u32() % (2 * width + 1) : kib;
}

/* Whether a multiple of this time has passed since the part before. */
static bool is_due(u64 now, u32 period_ms)
{
	return div_u64(now, period_ms) != div_u64(now - part_ms, period_ms);
}

static int leak(void *unused)
{
	/* ms since the start */
	u64 now = 0;
	/* KiB a second, times 1000. */
	u64 pace = (u64)rate * 1000;
	/* KiB that are due, times 1000. Less than nothing if the last thing was larger than what was due. */
	s64 due = 0;

	while (!kthread_should_stop()) {
		now += part_ms;
		mutex_lock(&lock);
		if (!secs || now <= (u64)secs * 1000) {
			s64 whole;

			due += div_u64(pace * part_ms, 1000);
			whole = div_s64(due, 1000);
			/* Noise is no debt, but what was lost of the next part is. */
			if (whole > 0) {
				s64 wanted = noisy(whole);
				s64 more = (s64)lose(wanted) - wanted;

				due -= (whole + max_t(s64, more, 0)) * 1000;
			}
			pace += div_u64(pace * growth * part_ms, 100000);
			if (step && step_secs && is_due(now, step_secs * 1000))
				lose(step);
		}
		mutex_unlock(&lock);
		schedule_timeout_interruptible(msecs_to_jiffies(part_ms));
	}
	return 0;
}

static int release_set(const char *value, const struct kernel_param *param)
{
	secs = 1;
	give_all_back();
	return 0;
}

static const struct kernel_param_ops release_ops = { .set = release_set };
module_param_cb(release, &release_ops, NULL, 0200);
MODULE_PARM_DESC(release, "write 1: lose no more, and give all of it back");

static const struct way *way_named(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (sysfs_streq(ways[i].name, name))
			return &ways[i];
	return NULL;
}

static int __init memleak_sim_init(void)
{
	way = way_named(what);
	if (!way || !part_ms)
		return -EINVAL;
	if (way->lose == lose_refs) {
		victim = shmem_file_setup("memleak_sim", (loff_t)max << 10, NO_RESERVE);
		if (IS_ERR(victim))
			return PTR_ERR(victim);
	}
	thread = kthread_run(leak, NULL, "memleak_sim");
	return PTR_ERR_OR_ZERO(thread);
}

static void __exit memleak_sim_exit(void)
{
	kthread_stop(thread);
	give_all_back();
	if (victim)
		fput(victim);
}

module_init(memleak_sim_init);
module_exit(memleak_sim_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("loses memory on purpose, for tests");
