// SPDX-License-Identifier: GPL-2.0

//! Accesses to memory without its owner's knowledge, for tests only. The C side is `probe.c`.

use kernel::{
    error::to_result,
    prelude::*, //
};
use labyrinth::context::Task;

extern "C" {
    fn labyrinth_probe(address: *const c_void, value: *mut u8) -> c_int;
    fn labyrinth_probe_count(address: *const c_void, length: usize, value: u8) -> c_int;
    fn labyrinth_probe_flush();
    fn labyrinth_probe_spoil(address: *const c_void);
    fn labyrinth_probe_flip(address: *mut c_void);
    fn labyrinth_probe_address_of(pfn: c_ulong) -> *mut c_void;
    fn labyrinth_probe_free(address: *const c_void) -> bool;
    fn labyrinth_probe_hold(address: *const c_void);
    fn labyrinth_probe_let_go(address: *const c_void);
    fn labyrinth_probe_confidential() -> bool;
    fn labyrinth_probe_shrink() -> c_int;
    fn labyrinth_probe_rescue(address: *const c_void, order: c_uint);
    #[cfg(CONFIG_X86_64)]
    fn labyrinth_probe_memory_type(address: *const c_void) -> c_int;
}

/// Reads a byte at any address. Any context. `EFAULT` if there is no page.
pub(crate) fn byte(address: usize) -> Result<u8> {
    let mut value = 0;
    // SAFETY: The address may be anything; `value` may be written.
    to_result(unsafe { labyrinth_probe(address as *const c_void, &mut value) })?;
    Ok(value)
}

/// Counts the bytes with this value in `length` bytes of the linear mapping, even if their page is
/// free. Any context. `EFAULT` if there is no page.
pub(crate) fn count(address: usize, length: usize, value: u8) -> Result<usize> {
    // SAFETY: The address may be anything. The function reads only whole pages that can be read.
    let count = unsafe { labyrinth_probe_count(address as *const c_void, length, value) };
    to_result(count)?;
    Ok(count as usize)
}

/// Makes all CPUs flush areas that are unmapped, which the kernel does only later. Sleeps.
pub(crate) fn flush_areas(_cx: &Task) {
    // SAFETY: A context that may sleep.
    unsafe { labyrinth_probe_flush() };
}

/// Marks the page at an address in the linear mapping as bad, for ever. Any context.
pub(crate) fn spoil(address: usize) {
    // SAFETY: An address that a page was seen at. The flag changes nothing for its owner.
    unsafe { labyrinth_probe_spoil(address as *const c_void) };
}

/// Changes every bit of a byte in the linear mapping, whoever owns it. Any context.
///
/// The owner must tolerate the change of this byte, as for a byte of a guard, and nobody may use
/// the byte at the same time.
pub(crate) fn flip(address: usize) {
    // SAFETY: A byte of a page that a test has, where any value is valid; see above.
    unsafe { labyrinth_probe_flip(address as *mut c_void) };
}

/// Returns the address in the linear mapping of the page with this number. Any context.
pub(crate) fn address_of(pfn: usize) -> usize {
    // SAFETY: The number of a page that the caller has.
    unsafe { labyrinth_probe_address_of(pfn as c_ulong) as usize }
}

/// Whether the page at an address in the linear mapping is free at this moment. Any context.
pub(crate) fn is_free(address: usize) -> bool {
    // SAFETY: An address that a page was seen at.
    unsafe { labyrinth_probe_free(address as *const c_void) }
}

/// Takes a reference of the page at an address in the linear mapping. Any context.
pub(crate) fn hold(address: usize) {
    // SAFETY: The address of a page that the caller has.
    unsafe { labyrinth_probe_hold(address as *const c_void) };
}

/// Gives that reference back. Any context.
pub(crate) fn let_go(address: usize) {
    // SAFETY: The address of a page that [`hold`] was called for.
    unsafe { labyrinth_probe_let_go(address as *const c_void) };
}

/// Returns the memory type of accesses to an address, by the page table and the CPU: 0 is uncached,
/// 1 write-combined, 6 write-back, and 7 uncached, too. Any context.
#[cfg(CONFIG_X86_64)]
pub(crate) fn memory_type(address: usize) -> Result<c_int> {
    // SAFETY: The address may be anything.
    let kind = unsafe { labyrinth_probe_memory_type(address as *const c_void) };
    to_result(kind)?;
    Ok(kind)
}

/// Frees a block that labyrinth has lost, given by the address of its first page in the linear
/// mapping. Sleeps.
pub(crate) fn rescue(_cx: &Task, address: usize, order: u32) {
    // SAFETY: The caller has seen labyrinth lose the block, so nobody uses it, or will free it.
    unsafe { labyrinth_probe_rescue(address as *const c_void, order) };
}

/// Makes the kernel call all shrinkers. Sleeps.
pub(crate) fn shrink(_cx: &Task) -> Result {
    // SAFETY: A context that may sleep.
    to_result(unsafe { labyrinth_probe_shrink() })
}

/// Returns whether the kernel says that this is a confidential guest. Any context.
pub(crate) fn confidential() -> bool {
    // SAFETY: No requirements.
    unsafe { labyrinth_probe_confidential() }
}
