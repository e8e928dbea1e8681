//! Computes what the colours of the style sheet promise to tired eyes (WCAG 2.1, 1.4.3 and 1.4.11).

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("../../../style/tokens.css");

type Palette = BTreeMap<String, [u8; 3]>;

/// The colours declared in the first block that follows `selector`.
fn palette(selector: &str) -> Palette {
    let start = TOKENS.find(selector).expect("the selector stands in tokens.css");
    let block = TOKENS[start..].split_once('{').unwrap().1.split_once('}').unwrap().0;
    let declarations = block.split(';').filter_map(|line| line.trim().split_once(": #"));
    declarations.map(|(name, hex)| (name.trim_start_matches("--").to_owned(), rgb(hex))).collect()
}

fn rgb(hex: &str) -> [u8; 3] {
    let number = u32::from_str_radix(hex, 16).unwrap();
    [(number >> 16) as u8, (number >> 8) as u8, number as u8]
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

const LIGHT: &str = ":root {";
const DARK: &str = ":root[data-theme=\"dark\"] {";
const AUTO_DARK: &str = ":root[data-theme=\"auto\"] {";

#[test]
fn black_on_white_is_twenty_one_to_one() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
}

#[test]
fn text_can_be_read() {
    for theme in [LIGHT, DARK] {
        let palette = palette(theme);
        for ground in ["page", "panel"] {
            for text in ["text", "muted", "live", "stale", "no-data", "focus"] {
                let ratio = contrast(palette[text], palette[ground]);
                assert!(ratio >= 4.5, "{theme} {text} on {ground}: {ratio:.2}");
            }
        }
        for priority in ["p1", "p2", "p3", "p4"] {
            let ratio = contrast(palette[&format!("on-{priority}")], palette[priority]);
            assert!(ratio >= 4.5, "{theme} on {priority}: {ratio:.2}");
        }
    }
}

#[test]
fn shapes_can_be_told_from_their_ground() {
    // P2 and P3 are too light for grey: their edge is what is seen.
    for theme in [LIGHT, DARK] {
        let palette = palette(theme);
        for ground in ["page", "panel"] {
            for shape in ["p1", "p4", "edge", "live", "muted"] {
                let ratio = contrast(palette[shape], palette[ground]);
                assert!(ratio >= 3.0, "{theme} {shape} on {ground}: {ratio:.2}");
            }
        }
    }
}

#[test]
fn the_operating_system_gets_the_same_dark_as_the_operator() {
    assert_eq!(palette(AUTO_DARK), palette(DARK));
}

#[test]
fn both_themes_know_the_same_colours() {
    let names = |theme| palette(theme).into_keys().collect::<Vec<_>>();
    assert_eq!(names(LIGHT), names(DARK));
}
