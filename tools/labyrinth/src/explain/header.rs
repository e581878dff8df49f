// SPDX-License-Identifier: GPL-2.0

//! The first line of a report.

use super::{
    gfp,
    report::{Kind, Report},
};

/// Returns the number that begins a text, in the decimal system.
pub fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();

    text[..digits].parse().ok()
}

/// Returns the text after the first occurrence of a key.
pub fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.find(key).map(|at| &text[at + key.len()..])
}

/// Returns the number after a key.
pub fn number_after(text: &str, key: &str) -> Option<u64> {
    after(text, key).and_then(|rest| number(rest.trim_start()))
}

/// Begins a report, if the text is the first line of one.
pub fn recognise(file: &str, line: u64, text: &str) -> Option<Report> {
    let (kind, at) = kind(text)?;
    let mut report = Report::new(file, line, kind);

    if matches!(
        report.kind,
        Kind::Page | Kind::Stall { .. } | Kind::Vmalloc { .. } | Kind::Vmemmap | Kind::Oom
    ) {
        report.comm = comm(&text[..at]);
    }
    details(&mut report, text);
    if report.kind == Kind::Oom && text.contains("order=-1") {
        report.oom.by_hand = true;
    }
    Some(report)
}

/// Returns what failed, and where the message begins.
fn kind(text: &str) -> Option<(Kind, usize)> {
    if let Some(at) = text.find("page allocation failure") {
        let rest = text[at + "page allocation failure".len()..].trim_start_matches(['.', ':', ' ']);
        // People write about such failures, too, and that can be in a log.
        return ("order:".starts_with(rest) || rest.starts_with("order:"))
            .then_some((Kind::Page, at));
    }
    // A mail program has wrapped the line before these words.
    let start = text.len() - text.trim_start().len();
    if text[start..].starts_with("failure: order:") {
        return Some((Kind::Page, start));
    }
    if text[start..].starts_with("oom-killer: gfp_mask=") {
        return Some((Kind::Oom, start));
    }
    if let Some(at) = text.find("page allocation stalls for ") {
        let ms = number_after(text, "stalls for ")?;
        return Some((Kind::Stall { ms }, at));
    }
    if let Some(at) = text.find(" invoked oom-killer") {
        return Some((Kind::Oom, at));
    }
    if text.contains("SLUB: Unable to allocate memory on")
        || text.contains("SLAB: Unable to allocate memory on")
    {
        return Some((Kind::Slab, 0));
    }
    if let Some(at) = text.find("vmemmap alloc failure: order:") {
        return Some((Kind::Vmemmap, at));
    }
    if text.contains("alloc failed, req-size") {
        let pages = number_after(text, "req-size:")?;
        let error = after(text, "ret:")
            .map(|rest| rest.trim_start())
            .and_then(|rest| {
                let value = i64::try_from(number(rest.trim_start_matches('-'))?).ok()?;
                Some(if rest.starts_with('-') { -value } else { value })
            })
            .unwrap_or(0);
        // "cma: cma_alloc: reserved: alloc failed": the name of the area is there since 5.16.
        let area = after(text, "cma_alloc: ")
            .and_then(|rest| rest.split_once(": alloc failed"))
            .map(|(area, _)| area.to_owned());
        return Some((Kind::Cma { area, pages, error }, 0));
    }
    vmalloc(text)
}

fn vmalloc(text: &str) -> Option<(Kind, usize)> {
    let at = [
        "vmalloc: allocation failure",
        "vmalloc error: size ",
        "vmap allocation for size ",
    ]
    .iter()
    .find_map(|key| text.find(key))
    .or_else(|| {
        let at = text.find("vmalloc size ")?;
        text[at..].contains("allocation failure").then_some(at)
    })?;
    let message = &text[at..];
    let message = message.split(", mode:").next().unwrap_or(message);
    let bytes = number_after(message, "size ")
        .or_else(|| number_after(message, " of "))
        .or_else(|| number_after(message, "allocation failure: "));

    Some((
        Kind::Vmalloc {
            what: message.to_owned(),
            bytes,
        },
        at,
    ))
}

/// Takes the name of the process, which stands before the message.
fn comm(before: &str) -> Option<String> {
    let name = before.trim_end().trim_end_matches(':').trim_start();
    // A prefix that is not known stays. The kernel's names have 15 characters at most, but those of
    // its workers can have more.
    let name = if name.len() > 63 {
        name.rsplit("] ").next()?.rsplit(' ').next()?
    } else {
        name.rsplit("] ").next()?
    };
    (!name.is_empty() && name.len() <= 63).then(|| name.to_owned())
}

/// Returns whether a text continues a first line that was wrapped.
pub fn continues(text: &str) -> bool {
    let rest = text.trim_start_matches([' ', ',']);

    ["order:", "mode:0x", "gfp_mask=0x", "nodemask=", "order="]
        .iter()
        .any(|start| rest.starts_with(start))
}

/// Takes what can be in the first line or in one of those after it.
pub fn details(report: &mut Report, text: &str) {
    if report.order.is_none() {
        report.order = number_after(text, "order:")
            .or_else(|| number_after(text, "order="))
            .or_else(|| number_after(text, "page order "))
            .and_then(|order| u32::try_from(order).ok())
            .filter(|&order| order < 40);
    }
    if report.mode.is_none() {
        report.mode = ["mode:0x", "gfp_mask=0x", "gfp=0x"]
            .iter()
            .find_map(|key| after(text, key))
            .and_then(gfp::read);
    }
    if report.nodemask.is_none() {
        report.nodemask = value_after(text, "nodemask=");
    }
    if report.mems_allowed.is_none() {
        report.mems_allowed = value_after(text, "mems_allowed=");
    }
    if report.kind == Kind::Slab && report.slab.node.is_none() {
        report.slab.node = text.rfind("on node ").and_then(|at| {
            let rest = &text[at + "on node ".len()..];
            if rest.starts_with("-1") {
                Some(-1)
            } else {
                number(rest).and_then(|node| i64::try_from(node).ok())
            }
        });
    }
}

/// Returns a list of nodes after a key, such as `0-1,3`. `(null)` is none.
fn value_after(text: &str, key: &str) -> Option<String> {
    let rest = after(text, key)?;
    if rest.starts_with("(null)") {
        return Some("(null)".to_owned());
    }
    let length = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || b",-".contains(byte))
        .count();
    let value = rest[..length].trim_end_matches(',');
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{recognise, Kind};

    #[test]
    fn heads_of_all_generations_are_recognised() {
        let report = recognise("f", 1, "kworker/0:1: page allocation failure: order:2, mode:0x1080020(GFP_ATOMIC), nodemask=(null)").unwrap();
        assert_eq!(report.kind, Kind::Page);
        assert_eq!(report.comm.as_deref(), Some("kworker/0:1"));
        assert_eq!(report.order, Some(2));
        assert_eq!(report.nodemask.as_deref(), Some("(null)"));

        let report = recognise("f", 1, "Web Content: page allocation failure: order:0, mode:0x820(GFP_ATOMIC), nodemask=0-1,cpuset=/,mems_allowed=0,2").unwrap();
        assert_eq!(report.comm.as_deref(), Some("Web Content"));
        assert_eq!(report.nodemask.as_deref(), Some("0-1"));
        assert_eq!(report.mems_allowed.as_deref(), Some("0,2"));

        let report = recognise("f", 1, "a:b invoked oom-killer: gfp_mask=0x6200ca(GFP_HIGHUSER_MOVABLE), nodemask=(null), order=0, oom_score_adj=0").unwrap();
        assert_eq!((report.kind.clone(), report.order), (Kind::Oom, Some(0)));
        assert_eq!(report.comm.as_deref(), Some("a:b"));

        let report = recognise("f", 1, "SLUB: Unable to allocate memory on CPU 0 (of node 0) on node -1, gfp=0x820(GFP_ATOMIC)").unwrap();
        assert_eq!(report.slab.node, Some(-1));

        for (text, size) in [
            ("x: vmalloc: allocation failure: 8192 bytes, mode:0xdc0(GFP_KERNEL|__GFP_ZERO), nodemask=(null)", 8192),
            ("x: vmalloc: allocation failure, allocated 4096 of 8192 bytes, mode:0xcc0(GFP_KERNEL)", 8192),
            ("x: vmalloc error: size 8192, page order 0, failed to allocate pages, mode:0xcc0(GFP_KERNEL)", 8192),
            ("x: vmalloc size 8192 allocation failure: page order 0 allocation failed, mode:0xcc0(GFP_KERNEL)", 8192),
            ("vmap allocation for size 8192 failed: use vmalloc=<size> to increase size", 8192),
        ] {
            let report = recognise("f", 1, text).unwrap();
            assert!(matches!(report.kind, Kind::Vmalloc { bytes, .. } if bytes == Some(size)), "{text}");
        }

        let report = recognise(
            "f",
            1,
            "cma: cma_alloc: linux,cma: alloc failed, req-size: 2025 pages, ret: -12",
        )
        .unwrap();
        assert_eq!(
            report.kind,
            Kind::Cma {
                area: Some("linux,cma".into()),
                pages: 2025,
                error: -12
            }
        );
        let report = recognise(
            "f",
            1,
            "x: page allocation stalls for 10010ms, order:0, mode:0x14200ca(GFP_HIGHUSER_MOVABLE)",
        )
        .unwrap();
        assert_eq!(report.kind, Kind::Stall { ms: 10010 });
    }

    #[test]
    fn talk_about_failures_is_no_report() {
        for text in [
            "watchdog: saw a page allocation failure, restarting",
            "fix the page allocation failure in the driver",
            "",
        ] {
            assert!(recognise("f", 1, text).is_none(), "{text}");
        }
        // A head that was cut off is one.
        assert!(recognise("f", 1, "x: page allocation failure").is_some());
        assert!(recognise("f", 1, "x: page allocation failure: ord").is_some());
    }
}
