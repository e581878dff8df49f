/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks in struct page that name the owner of a page while it is lent to C.
 */
#ifndef LABYRINTH_PAGE_MARK_H
#define LABYRINTH_PAGE_MARK_H

#include <linux/types.h>

struct page;

/* The events that labyrinth_foreign_events() counts. */
#define LABYRINTH_FOREIGN_GIVEN		0
#define LABYRINTH_FOREIGN_RETURNED	1
#define LABYRINTH_FOREIGN_REFUSED	2
#define LABYRINTH_NR_FOREIGN_EVENTS	3

void *labyrinth_page_mark(struct page *page, unsigned long mark);
struct page *labyrinth_page_remark(const void *address, unsigned long from,
				   unsigned long to);
void *labyrinth_page_unmark(struct page *page);
void labyrinth_page_refused(void);
bool labyrinth_page_mark_of(const void *address, unsigned long *mark);
u64 labyrinth_foreign_events(unsigned int which);

#endif /* LABYRINTH_PAGE_MARK_H */
