// SPDX-License-Identifier: GPL-2.0

//! Stands for the C helpers of per-CPU memory.

use super::cpu::{
    this,
    CPUS, //
};
use core::{
    ffi::c_void,
    sync::atomic::{
        AtomicPtr,
        AtomicU64,
        Ordering::{
            Acquire,
            Relaxed,
            Release,
            SeqCst, //
        }, //
    }, //
};
use std::alloc::{
    alloc_zeroed,
    dealloc,
    Layout, //
};

/// The distance between the copies of two CPUs.
const STRIDE: usize = 1 << 16;

fn layout() -> Layout {
    Layout::from_size_align(STRIDE * CPUS, 4096).unwrap()
}

pub(crate) unsafe fn labyrinth_percpu_alloc(size: usize, align: usize) -> *mut c_void {
    assert!(size <= STRIDE && align <= 4096);
    // SAFETY: The layout has a size.
    unsafe { alloc_zeroed(layout()).cast() }
}

pub(crate) unsafe fn labyrinth_percpu_free(base: *mut c_void) {
    // SAFETY: The caller got it from the function above.
    unsafe { dealloc(base.cast(), layout()) }
}

#[inline(always)]
pub(crate) unsafe fn labyrinth_percpu_of(base: *mut c_void, cpu: u32) -> *mut c_void {
    base.wrapping_byte_add(cpu as usize * STRIDE)
}

#[inline(always)]
unsafe fn word<'a>(base: *mut c_void, cpu: usize, index: usize) -> &'a AtomicU64 {
    // SAFETY: The caller knows that there is such a word.
    unsafe { &*base.byte_add(cpu * STRIDE).cast::<AtomicU64>().add(index) }
}

#[inline(always)]
pub(crate) unsafe fn labyrinth_percpu_add(base: *mut c_void, index: usize, n: u64) {
    // SAFETY: As the caller promises.
    let word = unsafe { word(base, this(), index) };
    word.store(word.load(Relaxed) + n, Release);
}

pub(crate) unsafe fn labyrinth_percpu_raise(base: *mut c_void, index: usize, n: u64) {
    // SAFETY: As the caller promises.
    unsafe { word(base, this(), index) }.fetch_max(n, SeqCst);
}

pub(crate) unsafe fn labyrinth_percpu_read_here(base: *mut c_void, index: usize) -> u64 {
    // SAFETY: As the caller promises.
    unsafe { word(base, this(), index) }.load(Relaxed)
}

pub(crate) unsafe fn labyrinth_percpu_read(base: *mut c_void, cpu: u32, index: usize) -> u64 {
    // SAFETY: As the caller promises.
    unsafe { word(base, cpu as usize, index) }.load(Acquire)
}

pub(crate) unsafe fn labyrinth_percpu_add_up(
    base: *mut c_void,
    cpu: u32,
    first: usize,
    count: usize,
    sums: *mut u64,
) {
    for i in 0..count {
        // SAFETY: As the caller promises.
        unsafe { *sums.add(i) += labyrinth_percpu_read(base, cpu, first + i) };
    }
}

pub(crate) unsafe fn labyrinth_percpu_clear(base: *mut c_void, cpu: u32, index: usize) {
    // SAFETY: As the caller promises.
    unsafe { word(base, cpu as usize, index) }.store(0, Relaxed);
}

#[inline(always)]
pub(crate) unsafe fn labyrinth_token_take(base: *mut c_void) -> *mut c_void {
    // SAFETY: As the caller promises.
    unsafe { labyrinth_token_take_of(base.byte_add(this() * STRIDE)) }
}

#[inline(always)]
pub(crate) unsafe fn labyrinth_token_take_of(word: *mut c_void) -> *mut c_void {
    // SAFETY: As the caller promises.
    unsafe { &*word.cast::<AtomicPtr<c_void>>() }.swap(core::ptr::null_mut(), SeqCst)
}

#[inline(always)]
pub(crate) unsafe fn labyrinth_token_give_back(word: *mut c_void, token: *mut c_void) {
    // SAFETY: As the caller promises.
    unsafe { &*word.cast::<AtomicPtr<c_void>>() }.store(token, Release);
}

pub(crate) unsafe fn labyrinth_token_give_back_of(word: *mut c_void, token: *mut c_void) {
    // SAFETY: As the caller promises.
    unsafe { labyrinth_token_give_back(word, token) };
}
