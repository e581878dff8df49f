/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts: disabling them, and what shows whether the current code is in one.
 */
#ifndef LABYRINTH_INTERRUPT_H
#define LABYRINTH_INTERRUPT_H

#include <linux/types.h>

unsigned long labyrinth_irq_save(void);
void labyrinth_irq_restore(unsigned long flags);
bool labyrinth_irqs_disabled(void);
bool labyrinth_in_hardirq(void);

bool labyrinth_serves_hard_irq(void);
bool labyrinth_serves_device_irq(void);
bool labyrinth_may_sleep(void);
const char *labyrinth_no_sleep(void);

#endif /* LABYRINTH_INTERRUPT_H */
