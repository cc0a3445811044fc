//! The picture as PNG, with the font that comes along: a bare machine has none, and text would silently be missing.

use super::super::Case;
use anyhow::{Context, Result, anyhow};
use resvg::{tiny_skia, usvg};
use std::sync::Arc;

/// DejaVu Sans, subset; see `assets/LICENSE-DejaVu.txt`.
const REGULAR: &[u8] = include_bytes!("../../../assets/DejaVuSans.subset.ttf");
const BOLD: &[u8] = include_bytes!("../../../assets/DejaVuSans-Bold.subset.ttf");
/// Pixels for each pixel of the SVG, so that it is sharp on today's screens and in print.
const SCALE: f32 = 2.0;

/// The bytes of a PNG file, 2,400 pixels wide, in light colours. No font of the machine is read, so that the same case
/// gives the same bytes everywhere.
///
/// # Errors
/// The picture is too large for memory, or the SVG is not understood, which is a bug.
pub fn png(case: &Case<'_>) -> Result<Vec<u8>> {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(REGULAR.to_vec());
    fonts.load_font_data(BOLD.to_vec());
    let options = usvg::Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: Arc::new(fonts),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(&super::svg(case), &options).context("the picture is no SVG (a bug)")?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| anyhow!("the picture has no size"))?;
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height())
        .ok_or_else(|| anyhow!("no memory for a picture of {} by {}", size.width(), size.height()))?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("cannot write the picture as PNG")
}
