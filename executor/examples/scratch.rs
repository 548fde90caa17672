//! scratch
use terzetto_executor::plot::*;
fn main() {
    let (w, h) = (512usize, 384usize);
    let mut image = vec![0f32; w * h];
    let mut s = 12345u64;
    for _ in 0..6000 { s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); let x = (s >> 33) as usize % w; s = s.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); let y = (s >> 33) as usize % h;
        for j in -2i32..=2 { for i in -2i32..=2 { let (xx, yy) = (x as i32 + i, y as i32 + j); if xx >= 0 && yy >= 0 && (xx as usize) < w && (yy as usize) < h { image[yy as usize * w + xx as usize] += (-(i*i+j*j) as f32 / 2.0).exp(); } } } }
    let mut arrows = vec![];
    for j in 0..23 { for i in 0..31 { let (x, y) = (16. + 16. * i as f32, 16. + 16. * j as f32); let (rx, ry) = ((x - 256.) / 120., (y - 192.) / 120.); let g = 8.0 * (-(rx * rx + ry * ry)).exp(); arrows.push(Arrow { x, y, dx: -ry * g, dy: rx * g, valid: (i * 7 + j * 13) % 47 != 0 }); } }
    let png = draw(&Plot { title: "piv_0001a-b", subtitle: "32 px windows, 50 % overlap  ·  698 of 713 vectors valid", size: (w, h), image: &image, arrows: &arrows }).unwrap();
    std::fs::write("/tmp/plot.png", png).unwrap();
}
