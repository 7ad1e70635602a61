// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/usbpass.h>
#include "lease.h"
#include "memory.h"
#include "param.h"
#include "transfer.h"

#define PIECE_ORDER	3	/* the largest allocation: a fragmented host has these */
#define PIECE_BYTES	(PAGE_SIZE << PIECE_ORDER)

static atomic64_t in_use;	/* bytes, of all leases */

u64 usbpass_memory_in_use(void)
{
	return atomic64_read(&in_use);
}

bool usbpass_memory_in_one_list(const struct usbpass_lease *lease)
{
	return lease->sg_tablesize >=
	       DIV_ROUND_UP_ULL(usbpass_param_lease_memory_bytes(), PIECE_BYTES);
}

int usbpass_memory_charge(struct usbpass_lease *lease, u64 bytes)
{
	unsigned long flags;
	bool fits;

	spin_lock_irqsave(&lease->lock, flags);
	fits = lease->transfers < USBPASS_URBS_MAX &&
	       lease->bytes_in_flight + bytes <= usbpass_param_lease_memory_bytes();
	if (fits) {
		lease->transfers++;
		lease->bytes_in_flight += bytes;
	}
	spin_unlock_irqrestore(&lease->lock, flags);
	if (!fits)
		return -ENOMEM;
	if (atomic64_add_return(bytes, &in_use) > usbpass_param_transfer_memory_bytes()) {
		usbpass_memory_uncharge(lease, bytes);
		return -ENOMEM;
	}
	return 0;
}

void usbpass_memory_uncharge(struct usbpass_lease *lease, u64 bytes)
{
	unsigned long flags;

	spin_lock_irqsave(&lease->lock, flags);
	lease->transfers--;
	lease->bytes_in_flight -= bytes;
	spin_unlock_irqrestore(&lease->lock, flags);
	atomic64_sub(bytes, &in_use);
}

static void free_pieces(struct usbpass_transfer *xfer)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(&xfer->sgt, sg, i)
		if (sg_page(sg))
			__free_pages(sg_page(sg), get_order(sg->length));
	sg_free_table(&xfer->sgt);
}

/*
 * Whole pages, so that each piece but the last is a multiple of any packet
 * size. Without a large page a piece is a single one: a list grown past the
 * controller's size fails.
 */
static int alloc_pieces(struct usbpass_transfer *xfer)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | (xfer->in ? __GFP_ZERO : 0);
	unsigned int nents = DIV_ROUND_UP(xfer->length, PIECE_BYTES);
	u32 left = xfer->length;
	struct scatterlist *sg;
	unsigned int i;

	if (nents > xfer->lease->sg_tablesize)
		return -ENOMEM;
	if (sg_alloc_table(&xfer->sgt, nents, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	for_each_sgtable_sg(&xfer->sgt, sg, i) {
		u32 bytes = min_t(u32, left, PIECE_BYTES);
		struct page *page = alloc_pages(gfp | __GFP_NOWARN, get_order(bytes));

		if (!page) {
			free_pieces(xfer);
			return -ENOMEM;
		}
		sg_set_page(sg, page, bytes, 0);
		left -= bytes;
	}
	return 0;
}

int usbpass_memory_alloc(struct usbpass_transfer *xfer)
{
	if (xfer->length > PIECE_BYTES)
		return alloc_pieces(xfer);
	if (!xfer->length)
		return 0;
	/* What the device did not write must not reach user space. */
	xfer->buffer = kmalloc(xfer->length, GFP_KERNEL_ACCOUNT | (xfer->in ? __GFP_ZERO : 0));
	return xfer->buffer ? 0 : -ENOMEM;
}

void usbpass_memory_free(struct usbpass_transfer *xfer)
{
	if (xfer->sgt.sgl)
		free_pieces(xfer);
	kfree(xfer->buffer);
}
