// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt and the softirq of a PCI driver.
 */
#include <linux/interrupt.h>
#include <linux/pci.h>
#include <linux/workqueue.h>

#include "pci.h"

/*
 * Requests one interrupt of the best type there is, and returns its number. The kernel may
 * serve it in a thread, as PREEMPT_RT does, so there is no IRQF_NO_THREAD. -EBUSY if the
 * driver has taken the device's interrupts already: giving back ours would take them away.
 */
int labyrinth_pci_irq_request(struct device *dev, irq_handler_t handler,
			      const char *name, void *data)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	int ret, irq;

	if (pci_dev_msi_enabled(pdev))
		return -EBUSY;
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	irq = pci_irq_vector(pdev, 0);
	ret = request_irq(irq, handler, IRQF_SHARED, name, data);
	if (ret) {
		pci_free_irq_vectors(pdev);
		return ret;
	}
	return irq;
}

/* Waits for the handler. Uses the number, as the driver may have changed the type since. */
void labyrinth_pci_irq_free(struct device *dev, unsigned int irq, void *data)
{
	free_irq(irq, data);
	pci_free_irq_vectors(to_pci_dev(dev));
}

void labyrinth_pci_clear_master(struct device *dev)
{
	pci_clear_master(to_pci_dev(dev));
}

void labyrinth_pci_disable(struct device *dev)
{
	pci_disable_device(to_pci_dev(dev));
}

void labyrinth_bh_work_init(struct work_struct *work, work_func_t function)
{
	INIT_WORK(work, function);
}

/* Queues work for a softirq. Any context but NMI. */
void labyrinth_bh_work_queue(struct work_struct *work)
{
	queue_work(system_bh_wq, work);
}

/* Waits for the work, which must not be queued any more. */
void labyrinth_bh_work_cancel(struct work_struct *work)
{
	cancel_work_sync(work);
}
