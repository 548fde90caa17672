//! The states of a run, one after the other, for stepping through it.
//!
//! A [`Recorder`](crate::observe::Recorder) notes what happens, and costs little. A [`StateRecorder`] looks at the whole
//! run at each event: that is slow, and answers another question: how does everything stand *now*? A page shows the
//! states, forwards and back, beside the source.

mod recorder;

pub use recorder::StateRecorder;

/// The part of a page that shows recordings: styles, markup and a script. It shows each element
/// `<script type="application/json" class="recording">` of the page. The book includes it, too.
const MACHINE: &str = include_str!("machine.html");

/// Writes a page that needs no other files.
fn page(title: &str, recording: &str) -> String {
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>{title}</title></head>
<body style="font:15px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:75rem;padding:0 1rem">
<h1>{title}</h1>
<script type="application/json" class="recording">{recording}</script>
{MACHINE}
</body></html>
"#
    )
}
