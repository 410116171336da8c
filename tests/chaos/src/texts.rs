//! Words that are not fit for a log, and requests that are not fit to be done.

use adaptivemm_module_api::{Finding, Number, Out, Refused, Request, Severity, Snapshot};

use crate::{WATERMARK, sink};

pub(crate) fn huge(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let text = "€".repeat(4 << 20);
    let numbers: Vec<Number<'_>> = (0..100_000).map(|_| Number::new(&text, 1.0)).collect();
    out.finding(
        &Finding::new(Severity::Notice, &text, &text)
            .details(&text)
            .numbers(&numbers),
    );
    let _taken = out.request(&Request::set(&text, 11, &text).details(&text));
    out.metric(&text, 1.0);
    out.status(&text);
}

pub(crate) fn not_utf_8() {
    let bytes = vec![0xff; 1 << 20];
    for _ in 0..64 {
        sink::finding_of(&bytes);
    }
}

pub(crate) fn controls(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let text = "a\0b\u{1b}[31mc\rd\ne\u{9b}f\u{2028}g\u{202e}h\u{2066}i\u{7f}j";
    out.finding(&Finding::new(Severity::Warning, text, text).details(text));
    out.status(text);
    out.metric(text, 1.0);
}

pub(crate) fn numbers(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MIN];
    let numbers = values.map(|value| Number::new("odd", value));
    out.finding(&Finding::new(Severity::Notice, "odd", "odd numbers").numbers(&numbers));
    let request = Request::set(WATERMARK, 11, "odd numbers");
    let _taken = out.request(&request.numbers(&numbers));
    for value in values {
        out.metric("odd", value);
    }
}

/// Asks for what it may have, and for all that it may not.
pub(crate) fn ask(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let answer = |out: &mut Out<'_>, request: Request<'_>| match out.request(&request) {
        Ok(()) => "taken",
        Err(Refused::Denied) => "denied",
        Err(Refused::Unsupported) => "unsupported",
        Err(Refused::Invalid) => "invalid",
        Err(_) => "refused",
    };
    let answers = [
        answer(out, Request::set(WATERMARK, 20, "allowed")),
        answer(out, Request::set("kernel.core_pattern", 1, "undeclared")),
        answer(out, Request::set("vm.watermark_scale_factor\n", 1, "odd")),
        answer(out, Request::set(WATERMARK, i64::MIN, "out of range")),
        answer(out, Request::set(WATERMARK, i64::MAX, "out of range")),
        sink::request_of_kind(u32::MAX),
        sink::request_of_kind(0),
    ];
    let text = answers.join(", ");
    out.finding(&Finding::new(Severity::Notice, "answers", &text));
}

/// What evidence is kept for.
pub(crate) fn incident(_: &Snapshot<'_>, out: &mut Out<'_>) {
    let text = "an incident by request";
    out.finding(&Finding::new(Severity::Notice, "told", text).incident("by-request"));
}
