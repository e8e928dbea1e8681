//! The pages as the server renders them, before any script runs.

use std::sync::Arc;

use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use leptos_router::components::Router;
use leptos_router::location::RequestUrl;
use link::status::{LinkState, Status};
use protocol::id::DeviceId;
use protocol::point::Name;
use protocol::user::Role;
use protocol::wire::session::SessionGrant;

use crate::choice::{Choice, Language};
use crate::preference::Preference;
use crate::sample::NOW;
use crate::view::link::drawer::LinkDrawer;
use crate::view::sign_in::SignInAgain;
use crate::{App, Bootstrap, Live, Person, sample};

fn render(path: &str, page: Bootstrap) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    owner.with(|| {
        provide_context(page);
        provide_context(RequestUrl::new(path));
        App().to_html()
    })
}

/// A part of a page, in Chinese, as it stands once `happen` has happened.
pub(crate) fn piece(
    page: Bootstrap,
    happen: impl FnOnce(Live) -> AnyView + Send + 'static,
) -> String {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new())));
    owner.with(|| {
        provide_context(RequestUrl::new("/"));
        let live = Live::with(page);
        provide_context(live);
        Preference::provide(Choice::default());
        view! { <Router>{happen(live)}</Router> }.to_html()
    })
}

/// Somebody who has signed in.
pub(crate) fn signed_in(role: Role) -> Bootstrap {
    let person = Some(Person::from(&SessionGrant { role, ..sample::grant() }));
    Bootstrap { person, is_login_on: true, ..sample::page(None) }
}

/// What is shown before somebody is let in: nothing of the plant.
fn outside(person: Option<Person>, is_encrypted: bool) -> Bootstrap {
    let notice = Name { zh: "仅限授权人员".into(), en: "Authorized persons only".into() };
    Bootstrap { now: NOW, person, is_login_on: true, is_encrypted, notice, ..Bootstrap::default() }
}

fn pages_of_people(language: Language) -> Vec<(&'static str, String)> {
    let choice = Choice { language, ..Choice::default() };
    let render = |path, page| (path, render(path, Bootstrap { choice, ..page }));
    let admin = || signed_in(Role::Admin);
    let new = Person { must_change_password: true, ..Person::from(&sample::grant()) };
    vec![
        render("/login", outside(None, true)),
        render("/login?to=/me", outside(None, false)),
        render("/login", sample::page(None)),
        render("/", outside(Some(new), true)),
        render("/me", admin()),
        render("/events", admin()),
        render("/events/audit", admin()),
        render("/system/users", admin()),
        render("/system/sessions", admin()),
        render("/events", signed_in(Role::Operator)),
    ]
}

fn device() -> DeviceId {
    "board-3".parse().unwrap()
}

fn pages(language: Language) -> [(&'static str, String); 5] {
    let choice = Choice { language, ..Choice::default() };
    let render = |path, device: Option<&DeviceId>| {
        (path, render(path, Bootstrap { choice, ..sample::page(device) }))
    };
    [
        render("/", None),
        render("/devices/board-3", Some(&device())),
        render("/devices/none", None),
        render("/nowhere", None),
        render("/commands", None),
    ]
}

#[test]
fn the_first_html_shows_the_values_of_now() {
    let [(_, overview), (_, device), ..] = pages(Language::Zh);
    for text in ["1#轨电位限制装置", "233.3", "拒绝连接", "E012", "演示数据", "3/4", "14:03:22"]
    {
        assert!(overview.contains(text), "{text} is not on the overview");
    }
    for text in ["12.5", "228.1", "超时", "尚未读取", "999.0", "1000", "未配置"] {
        assert!(device.contains(text), "{text} is not on the device's page");
    }
}

#[test]
fn every_point_says_its_quality() {
    let [_, (_, device), ..] = pages(Language::Zh);
    for quality in ["good", "stale", "bad", "no_comm", "uncertain", "simulated"] {
        let attribute = format!("data-quality=\"{quality}\"");
        assert!(device.contains(&attribute), "{attribute}");
    }
    assert!(device.contains("data-point=\"rail_potential\""));
    assert!(device.contains("data-device=\"board-3\""));
}

#[test]
fn the_policy_of_the_server_permits_every_page() {
    // No style attributes and no inline handlers: the policy forbids both.
    for language in [Language::Zh, Language::En] {
        for (path, html) in pages(language).into_iter().chain(pages_of_people(language)) {
            for forbidden in [" style=", " onclick=", " onload=", "javascript:"] {
                assert!(!html.contains(forbidden), "{forbidden} in {path}");
            }
        }
    }
}

#[test]
fn an_english_page_has_no_chinese_word() {
    for (path, html) in pages(Language::En).into_iter().chain(pages_of_people(Language::En)) {
        // The notice is written in both languages, and the page knows both.
        let html = html.replace("仅限授权人员", "");
        // The two switches name the other language in its own words.
        let html = html.replace("中/EN", "").replace("切换到中文", "");
        let foreign: String =
            html.chars().filter(|c| ('\u{4e00}'..'\u{9fff}').contains(c)).collect();
        assert_eq!(foreign, "", "{path}");
    }
}

#[test]
fn an_address_that_leads_nowhere_says_so() {
    let [_, _, (_, device), (_, nowhere), _] = pages(Language::Zh);
    assert!(device.contains("没有这个设备"));
    assert!(nowhere.contains("没有这个页面"));
}

#[test]
fn a_device_offers_its_commands_and_none_before_it_is_connected() {
    let [_, (_, device), ..] = pages(Language::Zh);
    for text in ["启动", "设置温度阈值", "正在连接: 连接后才能下发指令", "按住 1 秒执行"]
    {
        assert!(device.contains(text), "{text} is not on the device's page");
    }
    assert_eq!(device.matches("data-command=").count(), 7);
    assert_eq!(device.matches("class=\"act\"").count(), 7);
    let (questions, buttons, codes, switches, hold) = (7, 5, 2, 2, 1);
    let all = questions + buttons + codes + switches + hold;
    assert_eq!(device.matches(" disabled").count(), all);
    assert!(!device.contains("data-command=\"remote_on\""), "START stands for it");
}

#[test]
fn the_commands_page_shows_the_queue_at_once_and_the_record_later() {
    let [.., (_, commands)] = pages(Language::Zh);
    for text in ["系统服务器 center", "设置温度阈值 60", "占用中", "12 s", "正在读取", "导出 CSV"]
    {
        assert!(commands.contains(text), "{text} is not on the commands page");
    }
    assert!(commands.contains("href=\"/commands?origin=pscada\""));
}

#[test]
fn routes_can_be_listed_without_a_plant() {
    let html = render("/", Bootstrap::default());
    assert!(html.contains("尚未配置设备"));
}

#[test]
fn the_way_in_shows_how_safe_it_is_and_nothing_of_the_plant() {
    let pages = pages_of_people(Language::Zh);
    let (_, encrypted) = &pages[0];
    let (_, plain) = &pages[1];
    for text in [
        "无断档",
        "用户名",
        "密码",
        "仅限授权人员",
        "连接已加密",
        "autocomplete=\"current-password\"",
    ] {
        assert!(encrypted.contains(text), "{text} is not on the page");
    }
    assert!(plain.contains("连接未加密") && !plain.contains("连接已加密"));
    for foreign in ["class=\"rail\"", "board-", "data-link-state", "轨电位", "演示"] {
        assert!(!encrypted.contains(foreign), "{foreign} is on the page");
    }
    assert!(pages[2].1.contains("本站点无需登录"));
}

#[test]
fn whoever_is_not_signed_in_is_shown_the_way_in_wherever_they_are() {
    let html = render("/devices/board-1", outside(None, true));
    assert!(html.contains("id=\"sign-in-name\"") && !html.contains("class=\"rail\""));
}

#[test]
fn a_password_of_somebody_else_is_to_be_changed_first() {
    let (_, html) = &pages_of_people(Language::Zh)[3];
    for text in ["密码由他人设置", "至少 12 个字符", "password-new", "退出登录"] {
        assert!(html.contains(text), "{text} is not on the page");
    }
    assert!(!html.contains("class=\"rail\""));
}

#[test]
fn nobody_is_led_to_what_their_role_may_not_see() {
    let table = [
        (Role::Viewer, false, false),
        (Role::Operator, false, false),
        (Role::Auditor, true, false),
        (Role::Engineer, true, false),
        (Role::Admin, true, true),
    ];
    for (role, records, system) in table {
        let html = render("/", signed_in(role));
        assert_eq!(html.contains("href=\"/events\""), records, "{role}");
        assert_eq!(html.contains("href=\"/system/users\""), system, "{role}");
        assert!(html.contains("data-switch=\"person\""), "{role}");
    }
    let html = render("/", sample::page(None));
    assert!(!html.contains("data-switch=\"person\""), "nobody has to sign in");
    let pages = pages_of_people(Language::Zh);
    assert!(pages[9].1.contains("您的角色无权查看此页"), "an address that was typed");
}

#[test]
fn a_role_that_gives_no_commands_is_told_so_at_once() {
    // S0-88
    let person = Person::from(&SessionGrant { role: Role::Auditor, ..sample::grant() });
    let page = Bootstrap { person: Some(person), ..sample::page(Some(&device())) };
    let html = render("/devices/board-3", page);
    assert!(html.contains("无权限: 需要操作员角色"));
}

#[test]
fn a_sign_in_that_has_ended_is_renewed_over_the_page() {
    // S0-89
    let html = piece(signed_in(Role::Operator), |live| {
        let reason = protocol::wire::native::FailReason::Unauthorized;
        let state = LinkState::Refused { reason, detail: String::new() };
        live.announce(Status { state, ..sample::status() });
        view! { <SignInAgain/> }.into_any()
    });
    for text in ["role=\"dialog\"", "登录已结束", "value=\"li\""] {
        assert!(html.contains(text), "{text} is not in {html}");
    }
    let html = piece(signed_in(Role::Operator), |_| view! { <SignInAgain/> }.into_any());
    assert!(!html.contains("role=\"dialog\""));
}

#[test]
fn a_frame_that_was_tampered_with_is_counted_in_the_details_of_the_link() {
    // S0-95
    let html = piece(signed_in(Role::Operator), |live| {
        live.announce(Status { tampered: 3, ..sample::status() });
        let open = RwSignal::new(crate::view::shell::Open::Link);
        view! { <LinkDrawer open/> }.into_any()
    });
    assert!(html.contains("<dt>校验失败帧</dt><dd>3</dd>"), "{html}");
}
