/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interrupt and the softirq of a PCI driver, for handlers that borrow. The kernel crate
 * has no safe interface for that.
 */
#ifndef LABYRINTH_PCI_H
#define LABYRINTH_PCI_H

#include <linux/interrupt.h>
#include <linux/workqueue.h>

struct device;

int labyrinth_pci_irq_request(struct device *dev, irq_handler_t handler,
			      const char *name, void *data);
void labyrinth_pci_irq_free(struct device *dev, unsigned int irq, void *data);
void labyrinth_pci_clear_master(struct device *dev);
void labyrinth_pci_disable(struct device *dev);

void labyrinth_bh_work_init(struct work_struct *work, work_func_t function);
void labyrinth_bh_work_queue(struct work_struct *work);
void labyrinth_bh_work_cancel(struct work_struct *work);

#endif /* LABYRINTH_PCI_H */
