//! What the checks of a topology find before it runs.

use terzetto_executor::{Key, Problem, Queue, Topology};

/// A topology in order, to be spoilt: fill → (numbers) → double → (doubles).
fn sound() -> (Topology, Queue<u32>, Queue<u32>) {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<u32>("numbers");
    let doubles = topology.results::<u32>("doubles");
    topology.one_shot("fill", (), &numbers, |(), _| Ok(()));
    topology.cpu("double", &numbers).to(&doubles).each(|_, n| Ok(2 * n));
    (topology, numbers, doubles)
}

fn problems(topology: &Topology) -> Vec<Problem> {
    topology.check().err().map(|invalid| invalid.problems).unwrap_or_default()
}

#[test]
fn a_sound_topology_passes() {
    assert_eq!(sound().0.check(), Ok(()));
}

#[test]
fn an_empty_topology_does_not() {
    assert_eq!(problems(&Topology::new("empty")), [Problem::NoWork]);
}

#[test]
fn names_must_be_unique() {
    let (mut topology, _, doubles) = sound();
    let again = topology.queue::<u32>("numbers");
    topology.one_shot("fill", (), &again, |(), _| Ok(()));
    topology.io("halve", &again).to(&doubles).each(|_, n| Ok(n / 2));
    assert_eq!(
        problems(&topology),
        [Problem::DuplicateWork("fill".into()), Problem::DuplicateQueue("numbers".into())]
    );
}

#[test]
fn a_queue_of_another_topology_is_unknown() {
    let (mut topology, numbers, _) = sound();
    let (_, foreign, _) = sound();
    topology.one_shot("stray", (), (numbers, foreign), |(), _| Ok(()));
    assert_eq!(problems(&topology), [Problem::UnknownQueue { work: "stray".into() }]);
}

#[test]
fn each_queue_needs_both_ends() {
    let (mut topology, numbers, _) = sound();
    let lost = topology.queue::<u32>("lost");
    let dry = topology.queue::<u32>("dry");
    topology.one_shot("lose", (), &lost, |(), _| Ok(()));
    topology.io("wait", &dry).to(&numbers).each(|_, n| Ok(n));
    assert_eq!(
        problems(&topology),
        [Problem::NobodyEmpties { queue: "lost".into() }, Problem::NobodyFills { queue: "dry".into() }]
    );
}

#[test]
fn a_queue_has_one_consumer() {
    let (mut topology, numbers, doubles) = sound();
    topology.io("rival", &numbers).each(|_, _| Ok(()));
    topology.io("thief", &doubles).each(|_, _| Ok(()));
    assert_eq!(
        problems(&topology),
        [
            Problem::SeveralConsumers {
                queue: "numbers".into(),
                works: vec!["double".into(), "rival".into()]
            },
            Problem::ResultsConsumed { queue: "doubles".into(), work: "thief".into() }
        ]
    );
}

#[test]
fn a_work_names_each_queue_once() {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<u32>("numbers");
    let twice = topology.results::<u32>("twice");
    topology.source("count", &numbers, [("1", 1)]);
    topology.cpu("double", &numbers).to((&twice, &twice)).each(|_, n| Ok((n, n)));
    assert_eq!(problems(&topology), [Problem::QueueTwice { work: "double".into(), queue: "twice".into() }]);
}

#[test]
fn two_works_may_fill_a_queue_if_their_keys_differ() {
    let mut topology = Topology::new("test");
    let [a, b, c] = ["a", "b", "c"].map(|name| topology.queue::<u32>(name));
    let ends = topology.results::<u32>("ends");
    topology.one_shot("sort", (), (&a, &b), |(), _| Ok(()));
    topology.io("read png", &a).to(&c).each(|_, n| Ok(n));
    topology.io("read tif", &b).to(&c).each(|_, n| Ok(n));
    topology.cpu("end", &c).to(&ends).each(|_, n| Ok(n));
    assert_eq!(topology.check(), Ok(()));
}

#[test]
fn keys_that_were_split_must_not_meet_in_one_queue() {
    let mut topology = Topology::new("test");
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| topology.queue::<u32>(name));
    let ends = topology.results::<u32>("ends");
    topology.source("count", &a, [("1", 1)]);
    topology.cpu("split", &a).to((&b, &c)).each(|_, n| Ok((n, n)));
    topology.io("left", &b).to(&d).each(|_, n| Ok(n));
    topology.io("right", &c).to(&d).each(|_, n| Ok(n));
    topology.cpu("end", &d).to(&ends).each(|_, n| Ok(n));
    let expected = Problem::KeysMeet {
        queue: "d".into(),
        works: vec!["left".into(), "right".into()],
        split_by: "split".into(),
    };
    assert_eq!(problems(&topology), [expected]);
}

#[test]
fn what_is_joined_by_key_has_one_writer() {
    let mut topology = Topology::new("test");
    let [a, b] = ["a", "b"].map(|name| topology.queue::<u32>(name));
    let ends = topology.results::<u32>("ends");
    topology.source("left", &a, [("1", 1)]);
    topology.source("more", &a, [("2", 2)]);
    topology.source("right", &b, [("1", 1)]);
    topology.cpu("add", (&a, &b)).to(&ends).each(|_, (a, b)| Ok(a + b));
    let expected = Problem::SeveralWriters { queue: "a".into(), works: vec!["left".into(), "more".into()] };
    assert_eq!(problems(&topology), [expected]);
}

#[test]
fn a_one_shot_work_cannot_wait_for_the_loops() {
    let (mut topology, numbers, _) = sound();
    let late = topology.queue::<u32>("late");
    let list = topology.queue::<u32>("list");
    topology.one_shot("list", (), &list, |(), _| Ok(()));
    topology.io("load", &list).to(&late).each(|_, n| Ok(n));
    topology.one_shot("sum", &late, &numbers, |_, _| Ok(()));
    let expected =
        Problem::OneShotTooEarly { work: "sum".into(), queue: "late".into(), filled_by: "load".into() };
    assert_eq!(problems(&topology), [expected]);
}

#[test]
fn groups_must_be_known_at_the_start() {
    let mut topology = Topology::new("test");
    let seeds = topology.queue::<u32>("seeds");
    let groups = topology.queue::<[Key; 2]>("groups");
    let parts = topology.queue::<u32>("parts");
    let made = topology.results::<[u32; 2]>("made");
    topology.one_shot("fill", (), (seeds.clone(), parts.clone()), |(), _| Ok(()));
    topology.cpu("group", &seeds).to(&groups).each(|key, _| Ok([key.clone(), key.clone()]));
    topology.join("make", &groups, &parts).to(&made);
    let expected =
        Problem::GroupsTooLate { join: "make".into(), queue: "groups".into(), filled_by: "group".into() };
    assert_eq!(problems(&topology), [expected]);
}

#[test]
fn a_circle_is_found_and_named() {
    let (mut topology, numbers, _) = sound();
    let halves = topology.queue::<u32>("halves");
    let thirds = topology.queue::<u32>("thirds");
    let ends = topology.results::<u32>("ends");
    topology.one_shot("seed", (), &halves, |(), _| Ok(()));
    topology.cpu("a", &halves).to(&thirds).each(|_, n| Ok(n));
    topology.cpu("b", &thirds).to(&halves).each(|_, n| Ok(n));
    // Behind nothing and before nothing of the circle.
    let other = topology.queue::<u32>("other");
    topology.one_shot("more", (), (numbers, other.clone()), |(), _| Ok(()));
    topology.io("c", &other).to(&ends).each(|_, n| Ok(n));
    let found = problems(&topology);
    let [Problem::Cycle { works }] = &found[..] else {
        panic!("expected one circle, found {found:?}");
    };
    assert!(*works == ["a", "b"] || *works == ["b", "a"], "{works:?}");
}

#[test]
fn all_problems_are_told_at_once_and_by_name() {
    let mut topology = Topology::new("broken");
    let dry = topology.queue::<u32>("dry");
    topology.cpu("x", &dry).each(|_, _| Ok(()));
    let _lost = topology.queue::<u32>("lost");
    let text = topology.check().expect_err("it is broken").to_string();
    assert_eq!(
        text,
        "topology `broken` cannot run: no work fills queue `dry`; no work fills queue `lost`; no \
         work takes from queue `lost` (make it with `results` if its items are to be kept)"
    );
}

#[test]
fn the_drawing_has_every_node_and_edge() {
    let dot = sound().0.to_dot();
    for line in [
        "digraph \"test\" {",
        "q0 [label=\"numbers\" shape=ellipse style=solid];",
        "w0 [label=\"fill\\n(one-shot)\" shape=box style=dashed];",
        "w0 -> q0;",
        "q0 -> w1;",
        "w1 -> q1;",
    ] {
        assert!(dot.contains(line), "{line} in\n{dot}");
    }
}

#[test]
fn the_picture_shows_every_name_and_keeps_boxes_apart() {
    let mut topology = Topology::new("a <b> & \"c\"");
    let [a, b, c] = ["a", "b <", "c"].map(|name| topology.queue::<u32>(name));
    let ends = topology.results::<u32>("ends");
    topology.source("count", &a, [("1", 1)]);
    topology.cpu("split", &a).to((&b, &c)).each(|_, n| Ok((n, n)));
    topology.cpu("add", (&b, &c)).to(&ends).each(|_, (b, c)| Ok(b + c));
    let svg = topology.to_svg();
    for text in
        [">count<", ">split<", ">join b &lt; + c<", ">b &lt;<", ">ends<", ">source<", "a &lt;b&gt; &amp;"]
    {
        assert!(svg.contains(text), "{text} in\n{svg}");
    }
    // 5 queues and 4 works; each has a box, and each edge a line.
    let value = |line: &str, name: &str| -> f64 {
        let (_, rest) = line.split_once(&format!(" {name}=\"")).expect("an attribute");
        rest.split('"').next().and_then(|text| text.parse().ok()).expect("a number")
    };
    let boxes: Vec<[f64; 4]> = svg
        .lines()
        .filter(|line| line.starts_with("<rect x="))
        .map(|line| ["x", "y", "width", "height"].map(|name| value(line, name)))
        .collect();
    assert_eq!(boxes.len(), 9);
    assert_eq!(svg.lines().filter(|line| line.starts_with("<path d=\"M")).count(), 9);
    for (index, a) in boxes.iter().enumerate() {
        for b in &boxes[..index] {
            let apart = a[0] + a[2] < b[0] || b[0] + b[2] < a[0] || a[1] + a[3] < b[1] || b[1] + b[3] < a[1];
            assert!(apart, "{a:?} {b:?}");
        }
    }
}

#[test]
fn a_standalone_queue_belongs_to_no_topology() {
    let (mut topology, ..) = sound();
    let alone = Queue::<u32>::standalone("alone", 2);
    assert_eq!((alone.limit(), alone.room()), (2, 2));
    alone.push("a", 1);
    assert_eq!(alone.room(), 1);
    topology.cpu("wrong", &alone).each(|_, _| Ok(()));
    assert_eq!(problems(&topology), [Problem::UnknownQueue { work: "wrong".into() }]);
}
