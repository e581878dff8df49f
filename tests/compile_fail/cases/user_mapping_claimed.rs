// SPDX-License-Identifier: GPL-2.0
// Claiming that a mapping was given a page, when it was not.

struct Nothing;

impl Mappable for Nothing {
    fn mmap<'a>(&self, cx: &Task, area: NewArea<'a>) -> Result<MappedArea<'a>> {
        #[cfg(misuse)]
        // error[E0423]: cannot initialize a tuple struct which contains private fields
        return Ok(MappedArea(core::marker::PhantomData));
        Err(ENOMEM)
    }
}
