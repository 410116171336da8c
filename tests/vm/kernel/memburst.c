// SPDX-License-Identifier: GPL-2.0
/*
 * Allocates pages in bursts, as drivers under load do: on every node with CPUs some threads take burst_pages
 * together, hold them, free them, and count how long each allocation took.
 *
 * Unloading ends the load. The numbers are in /sys/module/memburst/parameters.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/sched.h>

#define CLASSES 24

static unsigned int burst_pages = 8192;
module_param(burst_pages, uint, 0444);
MODULE_PARM_DESC(burst_pages, "base pages of a burst on each node");

static unsigned int threads = 1;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "threads on each node");

static bool urgent = true;
module_param(urgent, bool, 0444);
MODULE_PARM_DESC(urgent, "at nice -20, as urgent work queues: kswapd hardly runs before they wait");

static unsigned int order;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "order of each allocation");

static unsigned int period_ms = 2000;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "from the start of one burst to that of the next");

static unsigned int hold_ms = 500;
module_param(hold_ms, uint, 0444);
MODULE_PARM_DESC(hold_ms, "how long a burst is held");

static bool atomic;
module_param(atomic, bool, 0444);
MODULE_PARM_DESC(atomic, "allocations may not wait");

static unsigned long bursts, allocations, failures, max_us;
module_param(bursts, ulong, 0444);
module_param(allocations, ulong, 0444);
module_param(failures, ulong, 0444);
module_param(max_us, ulong, 0444);

/* Class 0 took less than 1 us, class N from 2^(N-1) to 2^N us. */
static unsigned long classes[CLASSES];
module_param_array(classes, ulong, NULL, 0444);

static DEFINE_SPINLOCK(numbers);
static struct task_struct *tasks[256];
static unsigned int running;

static void count(struct page *page, unsigned long us)
{
	unsigned int class = us ? min(ilog2(us) + 1, CLASSES - 1) : 0;

	spin_lock(&numbers);
	classes[class]++;
	allocations++;
	failures += !page;
	max_us = max(max_us, us);
	spin_unlock(&numbers);
}

static void take(struct list_head *pages)
{
	gfp_t gfp = (atomic ? GFP_ATOMIC : GFP_KERNEL) | __GFP_NOWARN | (order ? __GFP_NORETRY : 0);
	unsigned int i;

	for (i = 0; i < (burst_pages / threads) >> order && !kthread_should_stop(); i++) {
		ktime_t start = ktime_get();
		struct page *page = alloc_pages(gfp, order);

		count(page, ktime_us_delta(ktime_get(), start));
		if (page)
			list_add(&page->lru, pages);
		cond_resched();
	}
}

static void give_back(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_pages(page, order);
	}
}

static void rest_until(ktime_t moment)
{
	s64 left;

	while (!kthread_should_stop() && (left = ktime_ms_delta(moment, ktime_get())) > 0)
		schedule_timeout_interruptible(msecs_to_jiffies(left) + 1);
}

static int burst(void *unused)
{
	while (!kthread_should_stop()) {
		ktime_t start = ktime_get();
		LIST_HEAD(pages);

		take(&pages);
		spin_lock(&numbers);
		bursts++;
		spin_unlock(&numbers);
		rest_until(ktime_add_ms(ktime_get(), hold_ms));
		give_back(&pages);
		rest_until(ktime_add_ms(start, period_ms));
	}
	return 0;
}

static void stop_all(void)
{
	while (running)
		kthread_stop(tasks[--running]);
}

static int start(int node, unsigned int number)
{
	struct task_struct *task = kthread_create_on_node(burst, NULL, node, "memburst/%d:%u", node, number);

	if (IS_ERR(task))
		return PTR_ERR(task);
	set_cpus_allowed_ptr(task, cpumask_of_node(node));
	if (urgent)
		set_user_nice(task, MIN_NICE);
	tasks[running++] = task;
	wake_up_process(task);
	return 0;
}

static int __init memburst_init(void)
{
	unsigned int number;
	int node, error;

	if (!threads || threads > ARRAY_SIZE(tasks) / num_online_nodes())
		return -EINVAL;
	for_each_node_state(node, N_CPU) {
		for (number = 0; number < threads; number++) {
			error = start(node, number);
			if (error) {
				stop_all();
				return error;
			}
		}
	}
	return 0;
}

static void __exit memburst_exit(void)
{
	stop_all();
}

module_init(memburst_init);
module_exit(memburst_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("allocates pages in bursts, for tests");
