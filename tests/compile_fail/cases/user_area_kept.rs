// SPDX-License-Identifier: GPL-2.0
// Keeping the value of a mapping that is being made for longer than that takes.

struct Kept<'a>(Option<NewArea<'a>>);

fn case<'a>(kept: &mut Kept<'a>, area: NewArea<'a>, later: NewArea<'_>) {
    kept.0 = Some(area);
    #[cfg(misuse)]
    // error[E0621]: explicit lifetime required in the type of `later`
    kept.0.replace(later);
}
