// SPDX-License-Identifier: GPL-2.0

//! Plots as SVG, whose colours are classes, so that a page decides on them.
//!
//! The crate plotters draws with colours of its own. Each stands for a class here: the line of the
//! first series for `line1`, and so on. All else has the colour of the text.

use anyhow::anyhow;
use plotters::{coord::Shift, prelude::*};

/// The size of a plot in units of its own. Text has to be legible where it is 328 pixels wide.
const SIZE: (u32, u32) = (480, 300);

/// The size of a plot in a file of its own.
const FILE_SIZE: (u32, u32) = (800, 440);

/// The size of an entry in the key of such a file.
const ENTRY: (u32, u32) = (400, 24);

/// The number of series that a plot can tell apart.
pub const MOST: usize = 6;

/// The rules for the classes; pages and single files use the same.
pub const STYLE: &str = "\
.plot{color:#1b1b1b;--s1:#0b5cad;--s2:#b3460b;--s3:#1a7340;--s4:#8a2a8a;--s5:#6b5900;--s6:#555}
.plot text{font-family:system-ui,sans-serif}
.line1{stroke:var(--s1)}.line2{stroke:var(--s2);stroke-dasharray:7 3}
.line3{stroke:var(--s3);stroke-dasharray:2 3}.line4{stroke:var(--s4);stroke-dasharray:9 3 2 3}
.line5{stroke:var(--s5);stroke-dasharray:4 2}.line6{stroke:var(--s6);stroke-dasharray:1 2}
.fill1{fill:var(--s1)}.fill2{fill:var(--s2)}.fill3{fill:var(--s3)}
.fill4{fill:var(--s4)}.fill5{fill:var(--s5)}.fill6{fill:var(--s6)}
@media screen and (prefers-color-scheme:dark){.plot{color:#e6e6e6;--s1:#6cb6ff;--s2:#ff9f5a;
--s3:#5fd38d;--s4:#e08ae0;--s5:#dcc64a;--s6:#b5b5b5}}
";

/// An axis.
pub struct Axis<'a> {
    /// What it shows, with the unit.
    pub name: &'a str,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Returns the label of a value.
    pub label: &'a dyn Fn(f64) -> String,
}

/// A plot of lines.
pub struct Plot<'a> {
    /// The title, for those who cannot see it, too.
    pub title: &'a str,
    /// What it shows in words.
    pub description: &'a str,
    /// The horizontal axis.
    pub x: Axis<'a>,
    /// The vertical axis.
    pub y: Axis<'a>,
    /// The points of each series.
    pub series: &'a [Vec<(f64, f64)>],
}

impl Axis<'_> {
    /// Returns where a value is on the axis.
    fn place(&self, value: f64) -> Option<f64> {
        let place = if self.log { value.log10() } else { value };
        place.is_finite().then_some(place)
    }

    /// Returns the ends of the axis: whole powers of ten on logarithmic ones, and 0 on others.
    fn range(&self, places: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
        let (low, high) = places.fold((f64::MAX, f64::MIN), |(low, high), place| {
            (low.min(place), high.max(place))
        });

        if low > high {
            return 0.0..1.0;
        }
        if self.log {
            let low = low.floor();
            return low..high.ceil().max(low + 1.0);
        }
        0.0..if high > 0.0 { high * 1.05 } else { 1.0 }
    }

    /// Returns the label at a place. On a logarithmic axis, only each power of ten whose exponent is
    /// a multiple of `every` has one.
    fn text(&self, place: f64, every: i64) -> String {
        if !self.log {
            return (self.label)(place);
        }
        let exponent = place.round();
        if (place - exponent).abs() < 1e-6 && exponent as i64 % every == 0 {
            (self.label)(10_f64.powf(exponent))
        } else {
            String::new()
        }
    }

    fn labels(&self, range: &std::ops::Range<f64>) -> usize {
        if self.log {
            (range.end - range.start).round() as usize + 1
        } else {
            5
        }
    }
}

/// Draws a plot. Returns an `svg` element.
pub fn draw(plot: &Plot<'_>) -> anyhow::Result<String> {
    sized(plot, SIZE, &[])
}

/// Draws a plot for a file of its own, with a key that names the series.
pub fn file(plot: &Plot<'_>, names: &[String]) -> anyhow::Result<String> {
    sized(plot, FILE_SIZE, names).map(|svg| alone(&svg))
}

/// Adds the style and the background that an `svg` element needs in a file of its own.
pub fn alone(svg: &str) -> String {
    let (head, inside) = svg.split_once("<title>").unwrap_or_default();

    format!(
        "{head}<style>{STYLE}.ground{{fill:#fff}}@media screen and (prefers-color-scheme:dark){{.ground{{fill:#161616}}}}</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n<title>{inside}"
    )
}

fn sized(plot: &Plot<'_>, size: (u32, u32), names: &[String]) -> anyhow::Result<String> {
    let series: Vec<Vec<(f64, f64)>> = plot
        .series
        .iter()
        .take(MOST)
        .map(|points| {
            let place = |&(x, y)| Some((plot.x.place(x)?, plot.y.place(y)?));
            points.iter().filter_map(place).collect()
        })
        .collect();
    let all = || series.iter().flatten();
    let x = plot.x.range(all().map(|point| point.0));
    let y = plot.y.range(all().map(|point| point.1));
    let failed = |error| anyhow!("cannot draw '{}': {error}", plot.title);
    let mut svg = String::new();

    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let key_height = ENTRY.1 * names.len().div_ceil(2) as u32;
        let (above, below) = area.split_vertically(size.1 - key_height);
        lines(&above, plot, &series, x, y)
            .and_then(|()| key(&below, names))
            .map_err(|error| failed(error.to_string()))?;
        area.present().map_err(|error| failed(error.to_string()))?;
    }
    Ok(with_classes(&svg, size, plot.title, plot.description))
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws the key: two names in a row, each after a piece of its line.
fn key(area: &Area<'_>, names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    for (index, name) in names.iter().take(MOST).enumerate() {
        let left = (ENTRY.0 * (index as u32 % 2)) as i32 + 20;
        let top = (ENTRY.1 * (index as u32 / 2)) as i32;
        let style = colour(index).stroke_width(3);
        area.draw(&PathElement::new(
            [(left, top + 8), (left + 40, top + 8)],
            style,
        ))?;
        area.draw(&Text::new(
            name.as_str(),
            (left + 50, top),
            ("sans-serif", 17),
        ))?;
    }
    Ok(())
}

fn lines(
    area: &Area<'_>,
    plot: &Plot<'_>,
    series: &[Vec<(f64, f64)>],
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
) -> Result<(), Box<dyn std::error::Error>> {
    let (x_labels, y_labels) = (plot.x.labels(&x), plot.y.labels(&y));
    // More labels would touch each other.
    let every = if x_labels > 6 { 2 } else { 1 };
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_top(16)
        .margin_right(40)
        .x_label_area_size(50)
        .y_label_area_size(92)
        .build_cartesian_2d(x, y)?;

    chart
        .configure_mesh()
        .x_desc(plot.x.name)
        .y_desc(plot.y.name)
        .x_labels(x_labels)
        .y_labels(y_labels)
        .x_label_formatter(&|place| plot.x.text(*place, every))
        .y_label_formatter(&|place| plot.y.text(*place, 1))
        .label_style(("sans-serif", 17))
        .axis_desc_style(("sans-serif", 17))
        .bold_line_style(BLACK.mix(0.2))
        .light_line_style(TRANSPARENT)
        .axis_style(BLACK)
        .draw()?;
    for (index, points) in series.iter().enumerate() {
        let style = colour(index).stroke_width(2);
        chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        // A line of one point would not be seen.
        if let [point] = points[..] {
            chart.draw_series([Circle::new(point, 3, colour(index).filled())])?;
        }
    }
    Ok(())
}

/// Returns the colour that stands for the class of a series.
pub fn colour(index: usize) -> RGBColor {
    RGBColor((index % MOST) as u8 + 1, 0xf0, 0x0f)
}

/// Replaces the colours of plotters by classes, and adds what those need who cannot see the plot.
pub fn with_classes(svg: &str, size: (u32, u32), title: &str, description: &str) -> String {
    let (_, inside) = svg.split_once('>').unwrap_or_default();
    let mut inside = inside
        .replace("\"#000000\"", "\"currentColor\"")
        .replace(" font-family=\"sans-serif\"", "");

    for number in 1..=MOST {
        let code = format!("\"#{number:02X}F00F\"");
        for (attribute, class) in [("stroke", "line"), ("fill", "fill")] {
            inside = inside.replace(
                &format!("{attribute}={code}"),
                &format!("class=\"{class}{number}\""),
            );
        }
    }
    format!(
        "<svg class=\"plot\" role=\"img\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>\n<desc>{}</desc>{inside}",
        size.0,
        size.1,
        escape(title),
        escape(description)
    )
}

/// Returns text for HTML and XML. Characters that XML forbids are replaced.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());

    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other if other.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{draw, escape, file, Axis, Plot};

    fn with_plot<T>(of: impl Fn(&Plot<'_>) -> T) -> T {
        let axis = |log| Axis {
            name: "a <b>",
            log,
            label: &|value| format!("{value}"),
        };
        of(&Plot {
            title: "x & y",
            description: "d",
            x: axis(true),
            y: axis(false),
            series: &[
                vec![(10.0, 1.0), (1000.0, 5.0), (0.0, 1.0)],
                vec![(10.0, f64::NAN)],
                vec![],
            ],
        })
    }

    #[test]
    fn a_file_has_colours_and_a_key() {
        let names = ["one <1>", "two", "three"].map(str::to_owned);
        let svg = with_plot(|plot| file(plot, &names).unwrap());
        assert!(svg.contains("<style>") && svg.contains("class=\"ground\""));
        for (number, name) in [(1, "one &lt;1&gt;"), (2, "two"), (3, "three")] {
            assert!(svg.contains(name), "{svg}");
            assert!(svg.contains(&format!("class=\"line{number}\"")), "{svg}");
        }
    }

    #[test]
    fn colours_are_classes() {
        let svg = with_plot(|plot| draw(plot).unwrap());
        assert!(svg.contains("<title>x &amp; y</title>"), "{svg}");
        assert!(svg.contains("class=\"line1\""), "{svg}");
        assert!(!svg.contains("\"#"), "{svg}");
        assert!(svg.contains("a &lt;b&gt;"), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(
            escape("<a b='\"'>&\u{1b}"),
            "&lt;a b=&#39;&quot;&#39;&gt;&amp;\u{fffd}"
        );
    }
}
