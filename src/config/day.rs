//! Days of a configuration: as they are written, and what was meant by another form. Used by `reader`.

use jiff::civil::Date;

/// The day that a text names as `YYYY-MM-DD`.
pub fn day_of(text: &str) -> Option<Date> {
    let digit = |(index, c): (usize, u8)| if matches!(index, 4 | 7) { c == b'-' } else { c.is_ascii_digit() };
    let shaped = text.len() == 10 && text.bytes().enumerate().all(digit);
    text.parse().ok().filter(|_| shaped)
}

/// The day that was meant by another form. Where it can be read as several, the earliest: no help makes an exception
/// last longer than it was written.
pub fn day_meant(text: &str) -> Option<Date> {
    let parts: Vec<&str> = text.split(['.', '/', '-', ' ', 'T', ',']).filter(|part| !part.is_empty()).take(4).collect();
    let [first, second, third, ..] = parts.as_slice() else { return None };
    let number = |part: &str| part.parse::<i16>().ok();
    let month = |part: &str| {
        const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let part = part.to_ascii_lowercase();
        let at = MONTHS.iter().position(|name| part.starts_with(name))?;
        i16::try_from(at.saturating_add(1)).ok()
    };
    let month_of = |part: &str| number(part).or_else(|| month(part));
    let year = |part: &str| match (part.len(), number(part)?) {
        (4, year) => Some(year),
        (2, year) => Some(year.saturating_add(2000)),
        _ => None,
    };
    let readings = [(first, second, third), (third, second, first), (third, first, second)];
    let day = |(of_year, of_month, of_day): (&&str, &&str, &&str)| {
        let (of_month, of_day) = (i8::try_from(month_of(of_month)?).ok()?, i8::try_from(number(of_day)?).ok()?);
        Date::new(year(of_year)?, of_month, of_day).ok()
    };
    readings.into_iter().filter_map(day).min()
}
