//! Where the boxes and lines of a machine go: layers from top to bottom, ordered so that few lines cross.
use std::collections::HashMap;

/// A box to be placed: its size.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

/// A line to be drawn, by the indexes of its boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    /// The width that what is said of the line takes, where it first passes a layer.
    pub room: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Everything in its place. Box 0 is the start.
#[derive(Debug)]
pub struct Layout {
    pub size: Size,
    /// The boxes' middles at the top.
    pub boxes: Vec<Point>,
    /// The way of each edge, from its box to its other one.
    pub lines: Vec<Vec<Point>>,
}

const BETWEEN_LAYERS: f64 = 52.0;
const BETWEEN_BOXES: f64 = 28.0;
/// The room of a line that passes a layer.
const PASSING: f64 = 14.0;
const SWEEPS: usize = 12;

/// A box, or a line's passing of a layer.
struct Node {
    size: Size,
    layer: usize,
    x: f64,
}

/// Places boxes.
pub fn place(sizes: &[Size], edges: &[Edge]) -> Layout {
    let upward = upward(sizes.len(), edges);
    let layers = layers(sizes.len(), edges, &upward);
    let mut nodes: Vec<Node> = sizes
        .iter()
        .zip(&layers)
        .map(|(size, layer)| Node { size: *size, layer: *layer, x: 0.0 })
        .collect();
    // Each edge as the nodes it goes through, downward.
    let mut chains = Vec::new();
    for (edge, upward) in edges.iter().zip(&upward) {
        let (top, bottom) = if *upward { (edge.to, edge.from) } else { (edge.from, edge.to) };
        let mut chain = vec![top];
        for layer in layers[top] + 1..layers[bottom] {
            let first = chain.len() == 1;
            let width = if first { edge.room.max(PASSING) } else { PASSING };
            chain.push(nodes.len());
            nodes.push(Node { size: Size { width, height: 0.0 }, layer, x: 0.0 });
        }
        chain.push(bottom);
        chains.push(chain);
    }
    let mut rows = rows(&nodes, &chains);
    let near = neighbours(&nodes, &chains);
    order(&mut rows, &near);
    spread(&mut nodes, &rows, &near);
    finish(&mut nodes, &rows, sizes.len(), &chains, edges, &upward)
}

/// Which edges lead back to where one has come from.
fn upward(count: usize, edges: &[Edge]) -> Vec<bool> {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, edge) in edges.iter().enumerate() {
        leaving[edge.from].push(index);
    }
    let (mut upward, mut on_path, mut seen) =
        (vec![false; edges.len()], vec![false; count], vec![false; count]);
    for root in 0..count {
        // (box, which of its edges comes next)
        let mut stack = vec![(root, 0)];
        while let Some((at, next)) = stack.pop() {
            if next == 0 && std::mem::replace(&mut seen[at], true) {
                continue;
            }
            on_path[at] = true;
            let Some(edge) = leaving[at].get(next) else {
                on_path[at] = false;
                continue;
            };
            stack.push((at, next + 1));
            let to = edges[*edge].to;
            if on_path[to] {
                upward[*edge] = true;
            } else if !seen[to] {
                stack.push((to, 0));
            }
        }
    }
    upward
}

/// Each box below all that lead to it.
fn layers(count: usize, edges: &[Edge], upward: &[bool]) -> Vec<usize> {
    let mut layers = vec![0; count];
    for _ in 0..count {
        let mut moved = false;
        for (edge, upward) in edges.iter().zip(upward) {
            let (top, bottom) = if *upward { (edge.to, edge.from) } else { (edge.from, edge.to) };
            if top != bottom && layers[bottom] < layers[top] + 1 {
                layers[bottom] = layers[top] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    layers
}

/// The nodes of each layer, as a walk from the start meets them.
fn rows(nodes: &[Node], chains: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let count = nodes.iter().map(|node| node.layer + 1).max().unwrap_or(0);
    let mut rows = vec![Vec::new(); count];
    let mut seen = vec![false; nodes.len()];
    let mut below: HashMap<usize, Vec<usize>> = HashMap::new();
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        below.entry(pair[0]).or_default().push(pair[1]);
    }
    for root in 0..nodes.len() {
        let mut stack = vec![root];
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                rows[nodes[at].layer].push(at);
                stack.extend(below.get(&at).into_iter().flatten().rev());
            }
        }
    }
    rows
}

/// What each node is tied to, above and below.
struct Neighbours {
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

fn neighbours(nodes: &[Node], chains: &[Vec<usize>]) -> Neighbours {
    let (mut above, mut below) = (vec![Vec::new(); nodes.len()], vec![Vec::new(); nodes.len()]);
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        if pair[0] != pair[1] {
            below[pair[0]].push(pair[1]);
            above[pair[1]].push(pair[0]);
        }
    }
    Neighbours { above, below }
}

/// Orders each layer by where its neighbours are, downward and upward in turn.
fn order(rows: &mut [Vec<usize>], near: &Neighbours) {
    let mut best = (crossings(rows, near), rows.to_vec());
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let ties = if down { &near.above } else { &near.below };
        let indexes: Vec<usize> =
            if down { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        let mut places: HashMap<usize, f64> = HashMap::new();
        for index in indexes {
            let mut row: Vec<(f64, usize)> = rows[index]
                .iter()
                .enumerate()
                .map(|(at, node)| {
                    (
                        mean(&ties[*node], |tie| places.get(&tie).copied()).unwrap_or(place_of(at)),
                        *node,
                    )
                })
                .collect();
            row.sort_by(|one, other| one.0.total_cmp(&other.0));
            rows[index] = row.into_iter().map(|(_, node)| node).collect();
            places.extend(rows[index].iter().enumerate().map(|(at, node)| (*node, place_of(at))));
        }
        let found = crossings(rows, near);
        if found < best.0 {
            best = (found, rows.to_vec());
        }
    }
    rows.clone_from_slice(&best.1);
}

#[expect(clippy::cast_precision_loss, reason = "a place in a row")]
fn place_of(at: usize) -> f64 {
    at as f64
}

fn mean(ties: &[usize], place: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = ties.iter().filter_map(|tie| place(*tie)).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / place_of(known.len()))
}

fn crossings(rows: &[Vec<usize>], near: &Neighbours) -> usize {
    let mut count = 0;
    for pair in rows.windows(2) {
        let places: HashMap<usize, usize> =
            pair[1].iter().enumerate().map(|(at, node)| (*node, at)).collect();
        let ends: Vec<Vec<usize>> = pair[0]
            .iter()
            .map(|node| {
                near.below[*node].iter().filter_map(|tie| places.get(tie).copied()).collect()
            })
            .collect();
        for (at, left) in ends.iter().enumerate() {
            for right in &ends[at + 1..] {
                count += left
                    .iter()
                    .map(|one| right.iter().filter(|other| *other < one).count())
                    .sum::<usize>();
            }
        }
    }
    count
}

/// Gives nodes their places from left to right: near their neighbours, and apart from each other.
fn spread(nodes: &mut [Node], rows: &[Vec<usize>], near: &Neighbours) {
    for row in rows {
        let mut left = 0.0;
        for node in row {
            let width = nodes[*node].size.width;
            nodes[*node].x = left + width / 2.0;
            left += width + BETWEEN_BOXES;
        }
    }
    for sweep in 0..SWEEPS * 2 {
        let down = sweep % 2 == 0;
        let indexes: Vec<usize> =
            if down { (0..rows.len()).collect() } else { (0..rows.len()).rev().collect() };
        for index in indexes {
            let row = &rows[index];
            let wanted: Vec<f64> = row
                .iter()
                .map(|node| {
                    let ties: Vec<usize> =
                        near.above[*node].iter().chain(&near.below[*node]).copied().collect();
                    mean(&ties, |tie| Some(nodes[tie].x)).unwrap_or(nodes[*node].x)
                })
                .collect();
            let placed = apart(row, &wanted, nodes);
            for (node, x) in row.iter().zip(placed) {
                nodes[*node].x = x;
            }
        }
    }
}

/// Places as near as wanted, in this order, without touching: the middle of pushing right and pushing left.
fn apart(row: &[usize], wanted: &[f64], nodes: &[Node]) -> Vec<f64> {
    let gap = |one: usize, other: usize| {
        f64::midpoint(nodes[row[one]].size.width, nodes[row[other]].size.width) + BETWEEN_BOXES
    };
    let mut right = wanted.to_vec();
    for at in 1..row.len() {
        right[at] = right[at].max(right[at - 1] + gap(at - 1, at));
    }
    let mut left = wanted.to_vec();
    for at in (1..row.len()).rev() {
        left[at - 1] = left[at - 1].min(left[at] - gap(at - 1, at));
    }
    right.iter().zip(&left).map(|(right, left)| f64::midpoint(*right, *left)).collect()
}

fn finish(
    nodes: &mut [Node],
    rows: &[Vec<usize>],
    count: usize,
    chains: &[Vec<usize>],
    edges: &[Edge],
    upward: &[bool],
) -> Layout {
    let leftmost = nodes.iter().map(|node| node.x - node.size.width / 2.0).fold(f64::MAX, f64::min);
    let mut width: f64 = 0.0;
    for node in nodes.iter_mut() {
        node.x -= leftmost;
        width = width.max(node.x + node.size.width / 2.0);
    }
    let (mut tops, mut heights, mut y) = (Vec::new(), Vec::new(), 0.0);
    for row in rows {
        let height = row.iter().map(|node| nodes[*node].size.height).fold(0.0, f64::max);
        tops.push(y);
        heights.push(height);
        y += height + BETWEEN_LAYERS;
    }
    let top = |node: &Node| tops[node.layer] + (heights[node.layer] - node.size.height) / 2.0;
    let lines = chains.iter().zip(edges).zip(upward).map(|((chain, edge), upward)| {
        let mut line = Vec::new();
        if edge.from == edge.to {
            let node = &nodes[edge.from];
            let (right, y) = (node.x + node.size.width / 2.0, top(node));
            line.push(Point { x: right, y: y + node.size.height * 0.3 });
            line.push(Point { x: right, y: y + node.size.height * 0.7 });
            return line;
        }
        for (at, node) in chain.iter().map(|node| &nodes[*node]).enumerate() {
            // A line that passes goes straight through the layer.
            let layer = (tops[node.layer], heights[node.layer]);
            match at {
                0 => line.push(Point { x: node.x, y: top(node) + node.size.height }),
                at if at + 1 == chain.len() => line.push(Point { x: node.x, y: top(node) }),
                _ => {
                    line.push(Point { x: node.x, y: layer.0 });
                    line.push(Point { x: node.x, y: layer.0 + layer.1 });
                }
            }
        }
        if *upward {
            line.reverse();
        }
        line
    });
    let lines = lines.collect();
    let boxes = nodes[..count].iter().map(|node| Point { x: node.x, y: top(node) }).collect();
    Layout { size: Size { width, height: (y - BETWEEN_LAYERS).max(0.0) }, boxes, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Size = Size { width: 100.0, height: 30.0 };

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs.iter().map(|(from, to)| Edge { from: *from, to: *to, room: 0.0 }).collect()
    }

    #[test]
    fn lines_lead_down_but_for_those_that_go_back() {
        let edges = edges(&[(0, 1), (1, 2), (2, 1), (1, 3), (2, 3), (3, 3)]);
        let layout = place(&[BOX; 4], &edges);
        let y: Vec<f64> = layout.boxes.iter().map(|at| at.y).collect();
        assert!(y[0] < y[1] && y[1] < y[2] && y[2] < y[3], "{y:?}");
        let ends = |line: &[Point]| (line[0].y, line[line.len() - 1].y);
        for (edge, line) in edges.iter().zip(&layout.lines) {
            let (from, to) = ends(line);
            let goes_back = (edge.from, edge.to) == (2, 1);
            assert_eq!(from < to, !goes_back, "{edge:?} {line:?}");
        }
    }

    #[test]
    fn boxes_of_a_layer_do_not_touch() {
        let many: Vec<(usize, usize)> =
            (1..8).map(|to| (0, to)).chain((1..8).map(|from| (from, 8))).collect();
        let layout = place(&[BOX; 9], &edges(&many));
        let mut row: Vec<f64> = layout.boxes[1..8].iter().map(|at| at.x).collect();
        row.sort_by(f64::total_cmp);
        assert!(
            row.windows(2).all(|pair| pair[1] - pair[0] >= BOX.width + BETWEEN_BOXES - 0.01),
            "{row:?}"
        );
        assert!(
            row[0] >= BOX.width / 2.0 - 0.01
                && layout.size.width >= row[6] + BOX.width / 2.0 - 0.01
        );
    }
}
