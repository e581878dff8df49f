// SPDX-License-Identifier: GPL-2.0
// Ending a guard that keeps interrupts disabled while a token proves that they are disabled.

fn case(guard: LocalInterruptDisabled) -> Result {
    #[cfg(not(misuse))]
    {
        with_device_irq(|cx| drop(ExclusivePage::alloc(cx, GfpAtomic)))?;
        drop(guard);
    }
    #[cfg(misuse)]
    // error[E0277]: cannot be sent between threads safely
    with_device_irq(move |_| drop(guard))?;
    Ok(())
}
