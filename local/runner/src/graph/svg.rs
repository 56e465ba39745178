//! A state machine as SVG.
use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::layout::{Edge, Layout, Point, Size, place};
use super::visits::Visits;
use super::{inner, ways};

const LETTER: f64 = 7.4;
const SMALL_LETTER: f64 = 5.9;
const HEIGHT: f64 = 40.0;
const PAD: f64 = 18.0;
/// Above what is inside of a box.
const TITLE: f64 = 34.0;
const LONGEST_LABEL: usize = 24;

const STYLE: &str = "\
svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#1c2733}.type,.label{font-size:10.5px;fill:#5b6b7b}\
.halo{fill:#fff}\
.box{fill:#f6f8fa;stroke:#8fa0b0;stroke-width:1.2}.group{fill:none;stroke-dasharray:5 3}\
.line{fill:none;stroke:#8fa0b0;stroke-width:1.3}.error{stroke:#c7877f;stroke-dasharray:3 3}.dot{fill:#5b6b7b}\
.succeeded>.box{fill:#d7f0dc;stroke:#14732f}.caught>.box{fill:#fdeccb;stroke:#a65f00}\
.failed>.box{fill:#fbdcd9;stroke:#b3261e}.running>.box{fill:#d9e8f7;stroke:#0b5cad}\
.succeeded>.group,.caught>.group,.failed>.group,.running>.group{fill:none;stroke-width:1.8}";

/// A machine drawn, with its upper left corner at 0, 0.
struct Drawn {
    size: Size,
    text: String,
}

/// Draws a definition, with an execution's path if one is given.
pub fn svg(definition: &Value, visits: Option<&Visits>) -> String {
    let drawn = machine(definition, visits);
    let (width, height) = (drawn.size.width + 2.0 * PAD, drawn.size.height + 2.0 * PAD);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">\n\
         <style>{STYLE}</style>\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\" fill=\"#8fa0b0\"/></marker></defs>\n\
         <g transform=\"translate({PAD} {PAD})\">\n{}</g>\n</svg>\n",
        drawn.text
    )
}

fn machine(machine: &Value, visits: Option<&Visits>) -> Drawn {
    let states: Vec<(&String, &Value)> =
        machine["States"].as_object().into_iter().flatten().collect();
    let boxes: Vec<Drawn> =
        states.iter().map(|(name, state)| state_box(name, state, visits)).collect();
    let dot = Size { width: 14.0, height: 14.0 };
    let index: HashMap<&str, usize> =
        states.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at + 1)).collect();
    let end = states.len() + 1;
    let mut sizes = vec![dot];
    sizes.extend(boxes.iter().map(|drawn| drawn.size));
    let (mut edges, mut labels) = (Vec::new(), Vec::new());
    let mut add = |from: usize, to: Option<usize>, label: String| {
        if let Some(to) = to {
            edges.push(Edge { from, to, room: shown_width(&label) });
            labels.push(label);
        }
    };
    let start = machine["StartAt"].as_str().and_then(|start| index.get(start).copied());
    add(0, start, String::new());
    for (name, state) in &states {
        for way in ways(state) {
            let to = match &way.to {
                Some(to) => index.get(to.as_str()).copied(),
                None => Some(end),
            };
            add(index[name.as_str()], to, way.label);
        }
    }
    if edges.iter().any(|edge| edge.to == end) {
        sizes.push(dot);
    }
    let layout = place(&sizes, &edges);
    let mut text = String::new();
    for (line, label) in layout.lines.iter().zip(&labels) {
        draw_line(&mut text, line, label);
    }
    draw_dots(&mut text, &layout, end);
    for (drawn, at) in boxes.iter().zip(&layout.boxes[1..]) {
        let x = at.x - drawn.size.width / 2.0;
        let _ = writeln!(text, "<g transform=\"translate({x:.1} {:.1})\">{}</g>", at.y, drawn.text);
    }
    Drawn { size: layout.size, text }
}

fn draw_dots(text: &mut String, layout: &Layout, end: usize) {
    for (at, ends) in [(0, false), (end, true)] {
        if let Some(Point { x, y }) = layout.boxes.get(at) {
            let y = y + 7.0;
            let _ = writeln!(text, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\"/>");
            if ends {
                let _ =
                    writeln!(text, "<circle class=\"line\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/>");
            }
        }
    }
}

/// A line with an arrow at its end; through points that follow each other from top to bottom or the other way.
fn draw_line(text: &mut String, line: &[Point], label: &str) {
    let [first, .., last] = line else { return };
    let mut path = format!("M{:.1} {:.1}", first.x, first.y);
    if line.len() == 2
        && (first.x - last.x).abs() < 0.01
        && last.y - first.y < HEIGHT / 2.0 + 1.0
        && label.is_empty()
    {
        let _ = write!(
            path,
            "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            first.x + 30.0,
            first.y,
            last.x + 30.0,
            last.y,
            last.x,
            last.y
        );
    } else {
        for pair in line.windows(2) {
            let middle = f64::midpoint(pair[0].y, pair[1].y);
            let _ = write!(
                path,
                "C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
                pair[0].x, pair[1].x, pair[1].x, pair[1].y
            );
        }
    }
    let class = if label == "error" { "line error" } else { "line" };
    let _ = writeln!(text, "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#arrow)\"/>");
    if label.is_empty() || label == "error" {
        return;
    }
    let width = shown_width(label);
    let (short, whole) = (escaped(&shown(label)), escaped(label));
    // Where the line comes to its first stop: lines are apart there.
    let (x, y) = (line[1].x, line[1].y - 14.0);
    let _ = writeln!(
        text,
        "<g><title>{whole}</title><rect class=\"halo\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"13\"/>\
         <text class=\"label\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{short}</text></g>",
        x - width / 2.0,
        y - 10.0,
    );
}

/// What is shown of a label; the whole is its tooltip.
fn shown(label: &str) -> String {
    if label.chars().count() <= LONGEST_LABEL {
        return label.to_owned();
    }
    label.chars().take(LONGEST_LABEL - 1).chain(['…']).collect()
}

fn shown_width(label: &str) -> f64 {
    if label.is_empty() || label == "error" {
        return 0.0;
    }
    length(&shown(label)) * SMALL_LETTER + 8.0
}

/// A state's box, with what is inside of it.
fn state_box(name: &str, state: &Value, visits: Option<&Visits>) -> Drawn {
    let kind = state["Type"].as_str().unwrap_or_default();
    let visit = visits.and_then(|visits| visits.get(name));
    let class = visits.and_then(|visits| visits.mark(name)).map_or("state", super::Mark::name);
    let mut said = kind.to_owned();
    let mut hint = format!("{name} ({kind})");
    if let Some(visit) = visit {
        if visit.entered > 1 {
            let _ = write!(said, " ×{}", visit.entered);
        }
        for (count, what) in
            [(visit.entered, "entered"), (visit.exited, "exited"), (visit.failures, "failures")]
        {
            let _ = write!(hint, "; {what} {count}");
        }
    }
    if let Some(resource) = state["Resource"].as_str() {
        let _ = write!(hint, "\n{resource}");
    }
    let least = (length(name) * LETTER).max(length(&said) * SMALL_LETTER).max(64.0) + 24.0;
    let inside: Vec<Drawn> =
        inner(state).into_iter().map(|within| machine(within, visits)).collect();
    let mut text = String::new();
    let (mut width, mut height) = (0.0_f64, 0.0_f64);
    for drawn in &inside {
        width += PAD;
        let _ = write!(text, "<g transform=\"translate({width:.1} {TITLE})\">{}</g>", drawn.text);
        width += drawn.size.width;
        height = height.max(drawn.size.height);
    }
    let size = if inside.is_empty() {
        Size { width: least, height: HEIGHT }
    } else {
        Size { width: (width + PAD).max(least), height: TITLE + height + PAD }
    };
    let group = if inside.is_empty() { "" } else { " group" };
    let (middle, title) = (size.width / 2.0, if inside.is_empty() { 17.0 } else { 16.0 });
    let (name, said, hint) = (escaped(name), escaped(&said), escaped(&hint));
    let text = format!(
        "<g class=\"{class}\"><title>{hint}</title><rect class=\"box{group}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"7\"/>\
         <text x=\"{middle:.1}\" y=\"{title}\" text-anchor=\"middle\">{name}</text>\
         <text class=\"type\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{said}</text></g>{text}",
        size.width,
        size.height,
        title + 14.0,
    );
    Drawn { size, text }
}

#[expect(clippy::cast_precision_loss, reason = "letters of a name")]
fn length(text: &str) -> f64 {
    text.chars().count() as f64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_state_and_way_is_drawn_and_names_are_escaped() {
        let definition = json!({
            "StartAt": "A<b>",
            "States": {
                "A<b>": {"Type": "Choice", "Choices": [{"Condition": "{% $x < 1 %}", "Next": "Each"}], "Default": "Done"},
                "Each": {
                    "Type": "Map",
                    "ItemProcessor": {"StartAt": "Work", "States": {"Work": {"Type": "Task", "Resource": "arn", "End": true}}},
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "A<b>"}],
                    "Next": "Done",
                },
                "Done": {"Type": "Succeed"},
            },
        });
        let drawn = svg(&definition, None);
        assert_eq!(drawn.matches("class=\"box").count(), 4);
        // From the start and to the end in both machines, and four ways between states of the outer one.
        assert_eq!(drawn.matches("marker-end").count(), 8);
        assert_eq!(drawn.matches("line error").count(), 1);
        assert!(drawn.contains("A&lt;b&gt;") && !drawn.contains("A<b>"), "{drawn}");
        assert!(drawn.contains("$x &lt; 1"), "{drawn}");
    }
}
