// SPDX-License-Identifier: GPL-2.0

//! The comparison as a plot: each mean with its interval, relative to the mean of A.

use super::{Comparison, Row};
use crate::plot::{alone, colour, with_classes};
use anyhow::anyhow;
use plotters::prelude::*;

const WIDTH: u32 = 800;
/// The height of a row.
const ROW: u32 = 56;

/// Returns a file with the plot.
pub(super) fn svg(comparison: &Comparison) -> anyhow::Result<String> {
    let size = (WIDTH, ROW * comparison.rows.len() as u32 + 100);
    let mut svg = String::new();
    let title = "Change from A to B with 95 % confidence intervals";
    let description = format!(
        "{}; {}; {}",
        super::show::side("A (solid)", &comparison.a),
        super::show::side("B (dashed)", &comparison.b),
        super::show::summary(comparison)
    );

    intervals(&mut svg, comparison, size).map_err(|error| anyhow!("cannot draw: {error}"))?;
    Ok(alone(&with_classes(&svg, size, title, &description)))
}

/// Returns the ends of both intervals in percent of the mean of A, which is 0.
fn ends(row: &Row) -> [(f64, f64, f64); 2] {
    let scale = if row.a.mean > 0.0 { row.a.mean } else { 1.0 };
    [&row.a, &row.b].map(|side| {
        let half = side.half_width.unwrap_or(0.0) / scale * 100.0;
        let mean = (side.mean - row.a.mean) / scale * 100.0;
        (mean - half, mean, mean + half)
    })
}

fn intervals(
    svg: &mut String,
    comparison: &Comparison,
    size: (u32, u32),
) -> Result<(), Box<dyn std::error::Error>> {
    let rows = &comparison.rows;
    let far = rows
        .iter()
        .flat_map(ends)
        .fold(1.0_f64, |far, (low, _, high)| far.max(high).max(-low))
        * 1.1;
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .margin_right(24)
        .caption(
            "Means and 95 % confidence intervals: A solid, B dashed",
            ("sans-serif", 16),
        )
        .x_label_area_size(44)
        .build_cartesian_2d(-far..far, rows.len() as f64..0.0)?;

    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_desc("change from the mean of A, in percent")
        .x_labels(9)
        .x_label_formatter(&|value| format!("{value:+.0} %"))
        .label_style(("sans-serif", 17))
        .bold_line_style(BLACK.mix(0.2))
        .light_line_style(TRANSPARENT)
        .draw()?;
    for (index, row) in rows.iter().enumerate() {
        let text = format!("{} {} {}", row.context, row.gfp, row.metric.name());
        let top = index as f64;
        chart.draw_series([Text::new(text, (-far, top + 0.08), ("sans-serif", 17))])?;
        for (side, (low, mean, high)) in ends(row).into_iter().enumerate() {
            let height = top + 0.55 + 0.25 * side as f64;
            let style = colour(side).stroke_width(3);
            chart.draw_series([PathElement::new([(low, height), (high, height)], style)])?;
            chart.draw_series([Circle::new((mean, height), 4, colour(side).filled())])?;
        }
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::svg;
    use crate::compare::tests::slower;

    #[test]
    fn both_sides_are_drawn() {
        let text = svg(&slower()).unwrap();
        assert_eq!(text.matches("class=\"line1\"").count(), 6);
        assert_eq!(text.matches("class=\"line2\"").count(), 6);
        assert!(text.contains("timer_softirq GFP_ATOMIC p99.9"), "{text}");
    }
}
