//! What the picture's classes look like, and the patterns that tell states apart without colour.

use gonedark_infer::report::PhaseState;

/// The picture's colours in light, for a file and for PNG. The page has its own, which follow the reader's choice of
/// light or dark: see `templates/report.css`.
///
/// The hues are after Okabe and Ito, "Color Universal Design" (2008), darkened or lightened until neighbours also differ
/// in grey.
pub(super) const LIGHT: &str = "\
.g-ground{fill:#ffffff}
.g-plot{fill:#f6f7f9}
.g-up{fill:#b3d3e8}
.g-grid{stroke:#5d6672;stroke-opacity:0.35;stroke-width:1;stroke-dasharray:2 3}
.g-axis{stroke:#5d6672;stroke-width:1}
.g-frame{fill:none;stroke:#8b95a1;stroke-width:1}
.g-title{fill:#14181d;font-size:22px;font-weight:bold}
.g-lead{fill:#2d353e;font-size:14px}
.g-name{fill:#14181d;font-size:16px;font-weight:bold}
.g-label{fill:#2d353e;font-size:12px}
.g-day{fill:#14181d;font-size:12px;font-weight:bold}
.g-mark{fill:#14181d;font-size:12px;font-weight:bold}
.g-note{fill:#5d6672;font-size:11px}
.g-halo{fill:#14181d;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke;font-size:12px}
.g-on-dark{fill:#ffffff;stroke:#7a1026;stroke-width:3px;stroke-linejoin:round;paint-order:stroke;font-size:12px}
.g-raised{fill:#2d353e;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke;font-size:12px}
.g-leader{stroke:#5d6672;stroke-width:1;fill:none}
.g-turn{fill:#14181d;fill-opacity:0.18}
.g-turn-line{stroke:#14181d;stroke-width:1.5;stroke-dasharray:4 3}
.g-sight{fill:#a9b3be}
.g-b-dark,.g-b-down{fill:#7a1026}
.g-i-dark,.g-i-down{stroke:#b2495d;stroke-width:1;fill:none}
.g-b-severe{fill:#d9702a}
.g-i-severe{stroke:#8a3a06;stroke-width:2;fill:none}
.g-b-partial{fill:#f7dd8b}
.g-i-partial{stroke:#a9801b;stroke-width:1;fill:none}
.g-b-unstable{fill:#f2b33d}
.g-i-unstable{stroke:#7d5200;stroke-width:1.5;fill:none}
.g-b-recovering{fill:#a9dcc6}
.g-i-recovering{stroke:#12704f;stroke-width:1.5;fill:none}
.g-b-unknown{fill:#ffffff}
.g-i-unknown{stroke:#6b7480;stroke-width:1;fill:none}
";

/// Those of attacks beside them, in light: a purple that is none of the states', neither in hue nor in grey.
pub(super) const LIGHT_ATTACKS: &str = "\
.g-attack{fill:#6a3d9a}
.g-attack-edge{fill:#6a3d9a;fill-opacity:0.35}
.g-outage{fill:#14181d;fill-opacity:0.1}
";

/// The class and pattern name of a state.
pub(super) const fn class(state: PhaseState) -> &'static str {
    state.name()
}

/// Patterns of 8 by 8 pixels, each with lines of its own direction and weight: name and path.
const PATTERNS: [(&str, &str); 7] = [
    ("dark", "M0 0L8 8M8 0L0 8"),
    ("down", "M0 0L8 8M8 0L0 8"),
    ("severe", "M0 2H8M0 6H8"),
    ("partial", "M0 6H8"),
    ("unstable", "M1 0V8M5 0V8"),
    ("recovering", "M0 8L8 0M-2 2L2 -2M6 10L10 6"),
    ("unknown", "M0 0L8 8M-2 6L2 10M6 -2L10 2"),
];

/// The definitions of all patterns; `prefix` keeps several pictures of one page apart.
pub(super) fn patterns(prefix: &str) -> String {
    let mut defs = String::from("<defs>\n");
    for (name, path) in PATTERNS {
        defs.push_str(&format!(
            "<pattern id=\"{prefix}{name}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <rect class=\"g-b-{name}\" width=\"8\" height=\"8\"/><path class=\"g-i-{name}\" d=\"{path}\"/></pattern>\n"
        ));
    }
    defs.push_str("</defs>\n");
    defs
}
