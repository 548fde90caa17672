//! Sentences of the documentation that promise something of every case, where no other test holds them.

use terzetto_kernels::{
    Flow, Image, MultipassParams, MultipassPlan, SynthParams, correlation::CorrelationMap,
    preprocess::Statistics, synth_couple,
};

#[test]
fn statistics_of_no_image_are_zero_and_one_image_has_no_deviation() {
    let mut statistics = Statistics::new(3, 2);
    for image in
        [statistics.mean(), statistics.standard_deviation(), statistics.minimum(), statistics.maximum()]
    {
        assert_eq!(image.data(), [0.0; 6]);
    }
    statistics.add(&Image::from_fn(3, 2, |x, y| (x + 10 * y) as f32)).unwrap();
    assert_eq!(statistics.standard_deviation().data(), [0.0; 6]);
    assert_eq!(statistics.mean(), statistics.minimum());
    assert_eq!(statistics.minimum().data(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
}

#[test]
fn images_and_maps_have_nothing_outside_of_them() {
    let image = Image::from_fn(3, 2, |_, _| 1.0);
    assert_eq!(image.get(2, 1), Some(1.0));
    assert_eq!((image.get(3, 0), image.get(0, 2)), (None, None));
    let map = CorrelationMap::new(2, 1);
    assert_eq!(map.at(3, -3), Some(0.0));
    assert_eq!((map.at(4, 0), map.at(0, -4)), (None, None));
}

#[test]
fn each_pass_is_told_as_it_ends_and_nothing_is_looked_at_unasked() {
    let scene = SynthParams { width: 128, height: 128, ..SynthParams::default() };
    let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 2.0, dy: 1.0 }, 0).unwrap();
    let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 3), 128, 128).unwrap();
    let mut ended = Vec::new();
    let by_pass = plan.compute_by_pass(&first, &second, |pass| ended.push(pass)).unwrap();
    assert_eq!(ended, [0, 1, 2]);
    assert!(plan.looks().iter().all(Option::is_none));
    let at_once = plan.compute(&first, &second).unwrap();
    assert_eq!(by_pass.passes[2].vectors[9].dx, at_once.passes[2].vectors[9].dx);
    plan.look_near(Some([60.0, 60.0]));
    plan.compute(&first, &second).unwrap();
    assert!(plan.looks().iter().all(Option::is_some));
    plan.look_near(None);
    plan.compute(&first, &second).unwrap();
    assert!(plan.looks().iter().all(Option::is_none));
}
