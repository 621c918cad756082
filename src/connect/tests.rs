//! The client against a Connect that answers as a test says.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::stand_in::{StandIn, info, status};
use super::*;

fn client(properties: &[(&str, &str)]) -> ConnectClient {
    let properties: BTreeMap<String, String> =
        properties.iter().map(|(name, value)| (format!("ksql.connect.{name}"), (*value).to_owned())).collect();
    ConnectClient::from_properties(&properties).expect("the properties can be used")
}

fn client_of(stand_in: &StandIn) -> ConnectClient {
    client(&[("url", &stand_in.url()), ("request.timeout.ms", "2000")])
}

/// Summaries of all connectors, by name.
fn summaries(client: &ConnectClient) -> Vec<(String, String)> {
    let connectors = client.connectors().expect("Connect answers");
    connectors.iter().map(|connector| (connector.name.clone(), connector.summary())).collect()
}

#[test]
fn a_connector_is_running_as_far_as_its_tasks_are() {
    for (states, expected) in [
        (&["RUNNING"][..], "RUNNING (1/1 tasks RUNNING)"),
        (&["RUNNING", "FAILED"], "RUNNING (1/2 tasks RUNNING)"),
        (&["FAILED", "PAUSED"], "WARNING (0/2 tasks RUNNING)"),
        (&[], "WARNING (0/0 tasks RUNNING)"),
    ] {
        let answer = json!({"info": info("c", "source"), "status": status("c", states)});
        assert_eq!(Connector::read_expanded(&answer).expect("an answer of Connect").summary(), expected);
    }
    let mut paused = json!({"info": info("c", "source"), "status": status("c", &["PAUSED"])});
    paused["status"]["connector"]["state"] = json!("PAUSED");
    assert_eq!(
        Connector::read_expanded(&paused).expect("an answer of Connect").summary(),
        "PAUSED (0/1 tasks RUNNING)"
    );
    let new = json!({"info": info("c", "source")});
    let new = Connector::read_expanded(&new).expect("one that no worker has yet");
    assert_eq!((new.summary().as_str(), new.class()), ("UNASSIGNED (0/0 tasks RUNNING)", "a.B"));
}

#[test]
fn all_connectors_are_asked_for_at_once_and_one_by_one_of_old_workers() {
    let new = StandIn::start(|what, _| match what {
        "GET /connectors?expand=info&expand=status" => (
            200,
            json!({
                "b": {"info": info("b", "sink"), "status": status("b", &["RUNNING"])},
                "a": {"info": info("a", "source"), "status": status("a", &[])},
            }),
        ),
        _ => (404, Value::Null),
    });
    let old = StandIn::start(|what, _| match what {
        "GET /connectors?expand=info&expand=status" => (200, json!(["b", "a"])),
        "GET /connectors/a" => (200, info("a", "source")),
        "GET /connectors/a/status" => (200, status("a", &[])),
        "GET /connectors/b" => (200, info("b", "sink")),
        "GET /connectors/b/status" => (200, status("b", &["RUNNING"])),
        _ => (404, Value::Null),
    });
    let expected = [("a", "WARNING (0/0 tasks RUNNING)"), ("b", "RUNNING (1/1 tasks RUNNING)")];
    let expected = expected.map(|(name, summary)| (name.to_owned(), summary.to_owned()));
    assert_eq!(summaries(&client_of(&new)), expected);
    assert_eq!(summaries(&client_of(&old)), expected);
    assert_eq!(new.asked().len(), 1);
}

#[test]
fn names_may_hold_anything() {
    let stand_in = StandIn::start(|_, _| (404, Value::Null));
    assert_eq!(client_of(&stand_in).connector("a b/ü?"), Ok(None));
    assert_eq!(stand_in.asked()[0].what, "GET /connectors/a%20b%2F%C3%BC%3F");
}

#[test]
fn what_is_wrong_with_properties_is_told_by_property() {
    let stand_in = StandIn::start(|what, config| {
        assert_eq!((what, &config["file"]), ("PUT /connector-plugins/a.B/config/validate", &json!("f")));
        let value = |name: &str, errors: &[&str]| json!({"definition": {}, "value": {"name": name, "errors": errors}});
        let configs = [value("file", &[]), value("topic", &["is missing", "is empty"]), value("batch.size", &["x"])];
        (200, json!({"name": "a.B", "error_count": 2, "configs": configs}))
    });
    let faults = client_of(&stand_in).validate("a.B", &json!({"file": "f"}));
    assert_eq!(faults, Ok(vec!["topic - is missing, is empty".to_owned(), "batch.size - x".to_owned()]));
}

#[test]
fn a_name_that_is_taken_is_no_conflict_among_workers() {
    let taken = StandIn::start(|what, _| match what {
        "POST /connectors" => (409, json!({"error_code": 409, "message": "Connector c already exists"})),
        _ => (200, info("c", "source")),
    });
    assert_eq!(client_of(&taken).create("c", &json!({})), Ok(Created::Exists));
    let posts = AtomicUsize::new(0);
    let agreeing = StandIn::start(move |what, _| match what {
        "POST /connectors" if posts.fetch_add(1, Ordering::Relaxed) < 2 => (409, json!({"message": "rebalance"})),
        "POST /connectors" => (201, info("c", "source")),
        "GET /connectors/c/status" => (200, status("c", &[])),
        _ => (404, Value::Null),
    });
    assert!(matches!(client_of(&agreeing).create("c", &json!({})), Ok(Created::New(_))));
    let never = StandIn::start(|_, _| (409, json!({"message": "rebalance"})));
    let refused = client(&[("url", &never.url()), ("request.timeout.ms", "500")]).delete("c");
    assert_eq!(refused.expect_err("they never agree").code(), 40900);
}

#[test]
fn a_connector_is_made_when_it_is_also_known() {
    let looks = AtomicUsize::new(0);
    let stand_in = StandIn::start(move |what, _| match what {
        "POST /connectors" => (201, info("c", "source")),
        "GET /connectors/c/status" if looks.fetch_add(1, Ordering::Relaxed) > 0 => (200, status("c", &[])),
        _ => (404, Value::Null),
    });
    assert!(matches!(client_of(&stand_in).create("c", &json!({})), Ok(Created::New(_))));
    let asked: Vec<String> = stand_in.asked().into_iter().map(|asked| asked.what).collect();
    assert_eq!(asked, ["POST /connectors", "GET /connectors/c/status", "GET /connectors/c/status"]);
}

#[test]
fn what_connect_says_is_told_with_its_status() {
    let stand_in = StandIn::start(|what, _| match what {
        "DELETE /connectors/there" => (204, Value::Null),
        "DELETE /connectors/none" => (404, json!({"error_code": 404, "message": "Connector none not found"})),
        "GET /connector-plugins" => (403, json!({"message": "User cannot access the resource."})),
        _ => (502, json!("<html>no gateway</html>")),
    });
    let client = client_of(&stand_in);
    assert_eq!(client.delete("there"), Ok(Dropped::Gone));
    assert_eq!(client.delete("none"), Ok(Dropped::Missing));
    let denied = client.plugins().expect_err("we may not");
    assert_eq!((denied.to_string().as_str(), denied.code()), ("User cannot access the resource.", 40300));
    assert!(denied.hint().is_some_and(|hint| hint.contains("basic.auth.credentials")));
    let broken = client.connectors().expect_err("there is no answer");
    assert_eq!((broken.to_string().as_str(), broken.code()), ("Kafka Connect answers with the status 502", 50000));
    assert!(matches!(ConnectError::Refused { status: 401, message: String::new() }.code(), 40300));
}

#[test]
fn topics_are_not_noted_by_all_workers() {
    let stand_in = StandIn::start(|what, _| match what {
        "GET /connectors/c/topics" => (200, json!({"c": {"topics": ["b", "a"]}})),
        "GET /connectors/off/topics" => (403, json!({"message": "Topic tracking is disabled."})),
        _ => (404, Value::Null),
    });
    let client = client_of(&stand_in);
    assert_eq!(client.topics("c"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
    assert_eq!(client.topics("off"), Ok(None));
    assert_eq!(client.topics("old"), Ok(None));
}

#[test]
fn the_next_address_is_asked_where_nobody_answers() {
    let stand_in = StandIn::start(|_, _| (200, json!([{"class": "a.B", "type": "sink"}])));
    // Nobody listens at a port that was free a moment ago.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound");
    let urls = format!("http://{nobody},{}", stand_in.url());
    let both = client(&[("url", &urls)]);
    let plugin = Plugin { class: "a.B".to_owned(), kind: "sink".to_owned(), version: None };
    assert_eq!(both.plugins(), Ok(vec![plugin]));
    let error = client(&[("url", &format!("http://{nobody}"))]).plugins().expect_err("nobody is there");
    assert!(error.to_string().starts_with(&format!("Kafka Connect at http://{nobody} cannot be reached: ")), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("`ksql.connect.url`")));
    assert_eq!(error.code(), 50000);
}

#[test]
fn who_does_not_answer_in_time_or_not_as_connect_is_named() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("it is bound"));
    let error = client(&[("url", &url), ("request.timeout.ms", "100")]).connectors().expect_err("nobody answers");
    assert_eq!(error.to_string(), format!("Kafka Connect at {url} has not answered: it does not answer in time"));
    let other = StandIn::start(|what, _| match what {
        "GET /connector-plugins" => (200, json!("<html>welcome</html>")),
        _ => (200, json!({"c": {"colour": "red"}})),
    });
    let client = client_of(&other);
    for error in [client.plugins().map(drop), client.connectors().map(drop), client.connector("c").map(drop)] {
        let error = error.expect_err("it is no Connect").to_string();
        assert!(error.contains(&other.url()) && error.contains("it may be another server"), "{error}");
    }
}

#[test]
fn connect_is_told_who_asks() {
    let stand_in = StandIn::start(|_, _| (200, json!([])));
    let url = stand_in.url().replace("http://", "http://u:p@");
    assert_eq!(client(&[("url", &url)]).plugins(), Ok(Vec::new()));
    assert_eq!(stand_in.asked()[0].authorization.as_deref(), Some("Basic dTpw"));
}
