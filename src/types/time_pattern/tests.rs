use super::*;
use crate::types::ZoneClock;

#[test]
fn differential() {
    let text = std::fs::read_to_string("/tmp/jd/cases.tsv").expect("cases");
    let mut bad = 0;
    let mut report = |line: &str, got: String| {
        bad += 1;
        if bad < 4000 {
            println!("{line}\n      GOT {got}");
        }
    };
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        match cells[0] {
            "C" => match TimePattern::new(cells[1]) {
                Err(e) if e == cells[2] => {}
                other => report(line, format!("{:?}", other.map(|_| ()))),
            },
            "F" => {
                let shows = match cells[1] {
                    "Z" => Shows::Timestamp,
                    "D" => Shows::Date,
                    _ => Shows::Time,
                };
                let got = TimePattern::new(cells[2]).and_then(|p| p.formatter(shows)).and_then(|f| {
                    let mut out = String::new();
                    let ms: i64 = cells[4].parse().expect("ms");
                    let mut clock = ZoneClock::new(cells[3]).expect("zone");
                    let local = clock.to_local_ms(ms);
                    match shows {
                        Shows::Timestamp => f.write_timestamp(&mut out, ms, &mut clock)?,
                        Shows::Date => f.write_date(&mut out, local.div_euclid(86_400_000))?,
                        Shows::Time => f.write_time(&mut out, local.rem_euclid(86_400_000) as i32)?,
                    }
                    Ok(out)
                });
                let fine = match &got {
                    Ok(text) => text == cells[5],
                    Err(_) => cells[5] == "!",
                };
                if !fine {
                    report(line, format!("{got:?}"));
                }
            }
            _ => {
                let got = TimePattern::new(cells[1]).and_then(|p| p.parse(cells[2]));
                let shown = match &got {
                    Err(e) => format!("!\t{e}"),
                    Ok(parsed) => {
                        let date = parsed.date().map_or("-".to_owned(), |d| d.to_string());
                        let time = parsed.time().map_or("-".to_owned(), |d| d.to_string());
                        let mut local = false;
                        let instant = parsed.timestamp(|ms| {
                            local = true;
                            ms
                        });
                        let instant = match instant {
                            Ok(ms) if date != "-" && time != "-" => format!("{}{ms}", if local { "L" } else { "" }),
                            _ => "-".to_owned(),
                        };
                        format!("{date}\t{time}\t{instant}")
                    }
                };
                let expected = cells[3..].join("\t");
                if shown != expected && !(shown.starts_with('!') && expected.starts_with('!')) {
                    report(line, shown);
                }
            }
        }
    }
    assert_eq!(bad, 0);
}
