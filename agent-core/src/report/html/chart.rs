//! Charts, as SVG. Their colours are those of the light page; `style.css` finds them by these and replaces them.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;

use super::super::calendar::Calendar;
use super::super::curve::{Curve, Point};
use super::super::view::{Chart, Future};
use super::axis::Axis;

const SEEN: RGBColor = RGBColor(0x0b, 0x5c, 0xad);
const SEEN_AREA: RGBColor = RGBColor(0xdc, 0xe9, 0xf7);
const BASELINE: RGBColor = RGBColor(0x5a, 0x65, 0x70);
const TREND: RGBColor = RGBColor(0xb4, 0x45, 0x09);
const FORECAST: RGBColor = RGBColor(0xb4, 0x45, 0x0a);
const FORECAST_AREA: RGBColor = RGBColor(0xfb, 0xe6, 0xd6);
const LIMIT: RGBColor = RGBColor(0xb4, 0x23, 0x18);
const MARK: RGBColor = RGBColor(0x8a, 0x94, 0x9e);
const GRID: RGBColor = RGBColor(0xe3, 0xe7, 0xeb);
const AXIS: RGBColor = RGBColor(0xb3, 0xbb, 0xc3);
const LABEL: RGBColor = RGBColor(0x50, 0x5b, 0x66);

/// Plotters counts in whole pixels, so a picture is drawn this many times as large as it is meant to be seen.
const SCALE: u32 = 4;

/// Of a small chart, in bytes.
const LEAST_HEIGHT: f64 = 16.0 * 1_048_576.0;

/// How large a picture is meant to be seen, in pixels of the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The most names at the axis of time.
    pub(super) times: f64,
}

impl Size {
    pub(super) const WIDE: Self = Self {
        width: 920,
        height: 320,
        times: 9.0,
    };
    pub(super) const NARROW: Self = Self {
        width: 340,
        height: 260,
        times: 5.0,
    };
    pub(super) const SMALL: Self = Self {
        width: 300,
        height: 130,
        times: 3.0,
    };
}

/// What is drawn.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) curve: &'a Curve,
    pub(super) calendar: Calendar,
    /// Baseline, trend and forecast, where they are known.
    pub(super) chart: Option<&'a Chart>,
    /// When something was told.
    pub(super) marks: &'a [f64],
    /// The time that is shown.
    pub(super) time: Range<f64>,
    /// The name of a metric, which says its unit; else it is bytes.
    pub(super) metric: Option<&'a str>,
}

type Area<'s> = DrawingArea<SVGBackend<'s>, Shift>;
type Context<'a, 's> = ChartContext<'a, SVGBackend<'s>, Cartesian2d<Axis, Axis>>;
type DrawnFuture = Result<(), DrawingAreaErrorKind<std::io::Error>>;

impl Picture<'_> {
    /// The picture, or nothing if it could not be drawn.
    pub(super) fn svg(&self, size: Size) -> String {
        let mut svg = String::new();
        let scaled = (size.width * SCALE, size.height * SCALE);
        let area = SVGBackend::with_string(&mut svg, scaled).into_drawing_area();
        let drawn = self.draw(&area, size);
        drop(area);
        // Writing to a string cannot fail.
        drawn.map_or_else(|_| String::new(), |()| svg)
    }

    fn draw(&self, area: &Area<'_>, size: Size) -> DrawnFuture {
        let values = self.values();
        let times = Axis::of_time(self.time.clone(), size.times, self.calendar);
        let most = f64::from(size.height) / 40.0;
        let amounts = match self.metric {
            Some(name) if !name.ends_with("_bytes") => Axis::of_numbers(values.clone(), most, name),
            _ => Axis::of_bytes(values.clone(), most),
        };
        let mut context = ChartBuilder::on(area)
            .margin_top(10 * SCALE)
            .margin_right(18 * SCALE)
            .margin_left(2 * SCALE)
            .x_label_area_size(24 * SCALE)
            .y_label_area_size(66 * SCALE)
            .build_cartesian_2d(times, amounts)?;
        let label = ("sans-serif", 15 * SCALE).into_font().color(&LABEL);
        context
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.stroke_width(SCALE))
            .axis_style(AXIS.stroke_width(SCALE))
            .label_style(label)
            .draw()?;
        self.series(&mut context, &values, size)?;
        area.present()
    }

    fn series(
        &self,
        context: &mut Context<'_, '_>,
        values: &Range<f64>,
        size: Size,
    ) -> DrawnFuture {
        let future = self.chart.and_then(|chart| chart.forecast.as_ref());
        let thick = |colour: RGBColor, width: u32| colour.stroke_width(width * SCALE / 2);
        let points = self.curve.thinned(size.width as usize / 2);
        context.draw_series(AreaSeries::new(
            points.iter().copied(),
            values.start,
            SEEN_AREA,
        ))?;
        if let Some(future) = future {
            context.draw_series([Polygon::new(future.outline(), FORECAST_AREA)])?;
        }
        for &mark in self.marks {
            line(
                context,
                [(mark, values.start), (mark, values.end)],
                thick(MARK, 2),
            )?;
        }
        if let Some(chart) = self.chart.filter(|chart| chart.has_baseline) {
            let Range { start, end } = self.time;
            line(
                context,
                [(start, chart.baseline), (end, chart.baseline)],
                thick(BASELINE, 3),
            )?;
        }
        if let Some(limit) = self.chart.and_then(Chart::limit) {
            line(
                context,
                [(self.time.start, limit), (self.time.end, limit)],
                thick(LIMIT, 3),
            )?;
        }
        line(context, points, thick(SEEN, 5))?;
        if let Some(trend) = self.chart.and_then(|chart| chart.trend) {
            line(context, trend, thick(TREND, 3))?;
        }
        if let Some(future) = future {
            line(context, future.middle.iter().copied(), thick(FORECAST, 4))?;
        }
        Ok(())
    }

    /// The amounts that are shown: from nothing on, unless that would leave little room for what changes.
    fn values(&self) -> Range<f64> {
        let (mut least, mut most) = (self.curve.least(), self.curve.most());
        if let Some(chart) = self.chart {
            least = least.min(chart.baseline);
            most = chart.height();
        }
        if self.chart.is_none() {
            // Beside the others, so that what hardly moves looks like it.
            (least, most) = (least.min(0.0), most.max(LEAST_HEIGHT));
        }
        let smallest = match self.metric {
            Some(_) => 0.01 * most.abs().max(1e-3),
            None => 1024.0,
        };
        let room = (most - least).max(smallest) * 0.08;
        let start = if least >= 0.0 && least < 0.5 * most {
            0.0
        } else {
            least - room
        };
        start..most + room
    }
}

impl Future {
    /// The area between the lowest and the highest rate.
    fn outline(&self) -> Vec<Point> {
        let back = self.low.iter().rev();
        self.high.iter().chain(back).copied().collect()
    }
}

fn line(
    context: &mut Context<'_, '_>,
    points: impl IntoIterator<Item = Point>,
    style: ShapeStyle,
) -> DrawnFuture {
    context
        .draw_series(LineSeries::new(points, style))
        .map(|_| ())
}
