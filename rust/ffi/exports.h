/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between exports.c, which C modules call, and exports.rs. bindgen compares these
 * declarations with the Rust side. A pool is the number in its handle. For reports, a
 * caller is the address of an instruction, and a context is an index in Kind::ALL of
 * context.rs.
 */
#ifndef LABYRINTH_EXPORTS_H
#define LABYRINTH_EXPORTS_H

#include <linux/types.h>

/* Implemented in Rust. */
long labyrinth_export_create(const char *name, unsigned int order,
			     bool compound, unsigned int cache,
			     unsigned int reserve, unsigned int emergency,
			     unsigned long long highest, bool automatic,
			     unsigned int reserve_max,
			     unsigned int half_life_ms, unsigned long caller);
void labyrinth_export_destroy(unsigned long pool, unsigned long caller);
int labyrinth_export_prime(unsigned long pool, unsigned int per_cpu,
			   unsigned long caller);
void *labyrinth_export_alloc_default(unsigned int context,
				     unsigned long caller);
void labyrinth_export_free_default(void *address, unsigned int context,
				   unsigned long caller);
void *labyrinth_export_alloc(unsigned long pool, unsigned int context,
			     unsigned long caller);
void labyrinth_export_free(unsigned long pool, void *address,
			   unsigned int context, unsigned long caller);
void *labyrinth_export_detach(unsigned long pool, void *address,
			      unsigned long caller);
unsigned int labyrinth_export_alloc_bulk(unsigned long pool,
					 unsigned int wanted, void **blocks,
					 unsigned int context,
					 unsigned long caller);
unsigned int labyrinth_export_free_bulk(unsigned long pool, unsigned int count,
					void *const *blocks,
					unsigned int context,
					unsigned long caller);

/* Implemented in C. */
void labyrinth_report_misuse(const char *what, int length, const void *address,
			     unsigned long caller);

#endif /* LABYRINTH_EXPORTS_H */
