//! Lists of several pages under every way of paging that the emulator knows.

use agent_engine_operator::domain::remote::TokenPath;
use agent_engine_operator::engine::ListFilter;

use super::story::Setting;

/// Nor does their order matter.
#[tokio::test(start_paused = true)]
async fn every_workspace_is_listed_once_however_pages_are_linked() {
    for style in [
        "absolute",
        "relative",
        "cursor",
        "empty-string",
        "absent",
        "foreign-host",
    ] {
        for filters in ["kept", "dropped"] {
            for cursor in ["offset", "keyset"] {
                for order in ["created", "newest", "name", "id"] {
                    let setting = Setting::new(TokenPath::Applications, "envelope")
                        .with("next_style", style)
                        .with("next_filters", filters)
                        .with("cursor_style", cursor)
                        .with("list_order", order);
                    let names = (0..230).map(|n| format!("Tenant {n:03}")).collect();
                    let (_emulator, engine) = setting.start(names);
                    let what = format!("{style}, {filters}, {cursor}, {order}");
                    let all = engine.list(ListFilter::default()).await.result.unwrap();
                    assert_eq!(all.len(), 231, "{what}");
                    let some = ListFilter {
                        name_contains: Some("tenant 1"),
                        state: None,
                    };
                    assert_eq!(engine.list(some).await.result.unwrap().len(), 100, "{what}");
                    assert_eq!(
                        engine.search(&"TENANT 0".into()).await.result.unwrap().len(),
                        100,
                        "{what}"
                    );
                    assert_eq!(
                        engine.search(&"Tenant 007".into()).await.result.unwrap().len(),
                        1,
                        "{what}"
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn odd_names_are_found_by_looking_for_them() {
    let odd = [
        "50% off_now",
        "a+b c&d=e?f#g",
        "back\\slash",
        "Caf\u{e9}",
        "Cafe\u{301} 2",
        "\u{304c}",
        "\u{212a}elvin",
    ];
    for special in ["literal", "wildcard"] {
        let setting = Setting::new(TokenPath::Applications, "envelope").with("special_characters", special);
        let (_emulator, engine) = setting.start(odd.iter().map(|name| (*name).to_owned()).collect());
        for name in odd {
            let found = engine.search(&name.into()).await.result.unwrap();
            assert!(
                found.iter().any(|workspace| workspace.name.as_str() == name),
                "{name:?}, {special}"
            );
        }
    }
}
