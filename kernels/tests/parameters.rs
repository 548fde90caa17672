//! Parameters as users write them.

use terzetto_kernels::{
    MultipassParams, PivParams, correlation, multipass::Predictor, preprocess::Filter, subpixel,
};

#[test]
fn a_file_names_what_differs_from_the_defaults() {
    let text = r#"
        displacement_mean = [3.0, 0.0]
        region = { left = 10, top = 20, width = 300, height = 200 }

        [[passes]]
        window = 64
        correlation = "padded"
        subpixel = { method = "centroid", radius = 2 }

        [[passes]]
        window = 32
        overlap = 0.75
        predictor = "deform"
        [passes.validation]
        correl_min = 0.3
        neighbour_difference = inf

        [spline]
        smoothing = 2.0
    "#;
    let params: MultipassParams = toml::from_str(text).unwrap();
    params.validate().unwrap();
    assert_eq!(params.passes[0].correlation, correlation::CorrelationMethod::Padded);
    assert_eq!(params.passes[0].subpixel.method, subpixel::SubpixelMethod::Centroid);
    assert_eq!(params.passes[1].predictor, Predictor::Deform);
    assert_eq!(params.passes[1].steps(), [8, 8]);
    assert!(params.passes[1].validation.neighbour_difference.is_infinite());
    assert_eq!(params.passes[1].validation.median_threshold, 2.5);
    assert_eq!(params.spline.subdomain, MultipassParams::default().spline.subdomain);
    let again: MultipassParams = toml::from_str(&toml::to_string(&params).unwrap()).unwrap();
    assert_eq!(again, params);
}

#[test]
fn every_default_survives_a_file() {
    let params = MultipassParams::zoom(64, 3);
    assert_eq!(toml::from_str::<MultipassParams>(&toml::to_string(&params).unwrap()).unwrap(), params);
    let params = PivParams::default();
    assert_eq!(toml::from_str::<PivParams>(&toml::to_string(&params).unwrap()).unwrap(), params);
    let empty: MultipassParams = toml::from_str("").unwrap();
    assert_eq!(empty, MultipassParams::default());
}

#[test]
fn names_are_those_that_files_use() {
    use correlation::CorrelationMethod as Correlation;
    use subpixel::SubpixelMethod as Subpixel;
    #[derive(serde::Serialize)]
    struct One<T> {
        name: T,
    }
    let quoted = |name: &str| format!("name = \"{name}\"\n");
    for method in [Correlation::Circular, Correlation::Padded, Correlation::Direct] {
        assert_eq!(toml::to_string(&One { name: method }).unwrap(), quoted(method.name()));
    }
    let all =
        [Subpixel::Gaussian3, Subpixel::Gaussian2d, Subpixel::Centroid, Subpixel::Parabola, Subpixel::None];
    for method in all {
        assert_eq!(toml::to_string(&One { name: method }).unwrap(), quoted(method.name()));
    }
}

#[test]
fn misspelt_names_and_values_are_told() {
    let message = |text: &str| toml::from_str::<MultipassParams>(text).unwrap_err().to_string();
    assert!(message("pases = []").contains("pases"));
    assert!(message("[[passes]]\nwindow = 32\noverlapp = 0.5").contains("overlapp"));
    assert!(message("[[passes]]\ncorrelation = \"magic\"").contains("magic"));
    assert!(message("[spline]\nsmoothing = \"much\"").contains("smoothing"));
}

#[test]
fn filters_are_listed_in_order() {
    #[derive(serde::Deserialize)]
    struct File {
        filters: Vec<Filter>,
    }
    let text = r#"
        [[filters]]
        filter = "sliding_minimum"
        radius = 7
        [[filters]]
        filter = "gamma"
        exponent = 0.7
    "#;
    let file: File = toml::from_str(text).unwrap();
    assert_eq!(file.filters, [Filter::SlidingMinimum { radius: 7 }, Filter::Gamma { exponent: 0.7 }]);
}
