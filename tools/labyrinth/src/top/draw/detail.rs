// SPDX-License-Identifier: GPL-2.0

//! The selected context: the histogram of its latencies, and charts.

use super::{
    text::{latency, put, put_bar, put_chart, put_heads},
    Screen,
};
use crate::{
    top::view::{Bucket, Context},
    units,
};
use ratatui::{buffer::Buffer, layout::Rect, style::Style};

/// The wanted number of rows, and the least useful number.
pub(super) const ROWS: u16 = 8;
pub(super) const LEAST_ROWS: u16 = 5;
/// The least width of a bucket, for its label.
const BAR: u16 = 6;
/// The columns of the charts, if the screen is wide enough for both.
const CHARTS: u16 = 30;

/// Draws the context.
pub(super) fn draw(screen: Screen<'_>, area: Rect, buffer: &mut Buffer) {
    let contexts = &screen.view.contexts;
    let Some(context) = contexts.get(screen.selected).or(contexts.last()) else {
        return;
    };
    let heading = format!(
        "{} {}: {} latencies in {:.0} s, most {}/s, longest {}",
        context.context,
        context.gfp,
        units::short(context.latency.samples as f64),
        context.latency.seconds,
        units::short(context.most_per_second),
        latency(context.longest_ns),
    );
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };

    put_heads(buffer, area, &[], screen.look.heading());
    put(buffer, area, 0, &heading, screen.look.heading());
    if area.width < 2 * CHARTS {
        histogram(screen, context, body, buffer);
        return;
    }
    let left = body.width - CHARTS;
    histogram(
        screen,
        context,
        Rect {
            width: left - 1,
            ..body
        },
        buffer,
    );
    let right = Rect {
        x: body.x + left,
        width: CHARTS,
        ..body
    };
    let half = right.height / 2;
    let upper = Rect {
        height: half,
        ..right
    };
    let lower = Rect {
        y: right.y + half,
        height: right.height - half,
        ..right
    };
    for (place, name, chart) in [
        (upper, "pages/s", &context.chart),
        (lower, "p99", &context.latency_chart),
    ] {
        put(buffer, place, 0, name, Style::new());
        let place = Rect {
            x: place.x + 8,
            width: place.width - 8,
            ..place
        };
        put_chart(buffer, place, chart, screen.look.chart());
    }
}

/// Draws the histogram: the bars, then the count of each, then the upper edges.
fn histogram(screen: Screen<'_>, context: &Context, area: Rect, buffer: &mut Buffer) {
    let buckets = merge(&context.latency.buckets, usize::from(area.width / BAR));
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    let height = |count: u64| (count as f64).ln_1p();

    if area.height < 3 || area.width < BAR {
        return;
    }
    for (start, bucket) in (area.x..).step_by(usize::from(BAR)).zip(&buckets) {
        let bar = Rect {
            x: start,
            width: BAR - 1,
            y: area.y,
            height: area.height - 2,
        };
        put_bar(
            buffer,
            bar,
            height(bucket.count),
            height(most),
            screen.look.chart(),
        );
        let edge = bucket
            .to_ns
            .map_or_else(|| "more".to_owned(), |ns| latency(Some(ns)));
        for (row, text) in [(2, units::short(bucket.count as f64)), (1, edge)] {
            let place = Rect {
                x: start,
                y: area.bottom() - row,
                width: BAR,
                height: 1,
            };
            put(buffer, place, 0, &text, Style::new());
        }
    }
}

/// Merges neighbouring buckets until there are at most `most`.
fn merge(buckets: &[Bucket], most: usize) -> Vec<Bucket> {
    let together = buckets.len().div_ceil(most.max(1)).max(1);
    let merged = buckets.chunks(together).map(|chunk| Bucket {
        to_ns: chunk.last().and_then(|last| last.to_ns),
        count: chunk.iter().map(|bucket| bucket.count).sum(),
    });

    merged.collect()
}

#[cfg(test)]
mod tests {
    use super::{merge, Bucket};

    #[test]
    fn neighbours_are_merged() {
        let buckets: Vec<Bucket> = (1..=7)
            .map(|count| Bucket {
                to_ns: (count < 7).then_some(count * 10),
                count,
            })
            .collect();
        assert_eq!(merge(&buckets, 7), buckets);
        let merged = merge(&buckets, 3);
        let counts: Vec<u64> = merged.iter().map(|bucket| bucket.count).collect();
        assert_eq!(counts, [6, 15, 7]);
        assert_eq!((merged[0].to_ns, merged[2].to_ns), (Some(30), None));
        assert_eq!(merge(&buckets, 0).len(), 1);
        assert!(merge(&[], 3).is_empty());
    }
}
