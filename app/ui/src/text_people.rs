//! The words about people, in Chinese and English.

use protocol::user::Role;

use crate::choice::Language;
use crate::format;
use crate::live::call::{Failed, NO_CONNECTION, UNAUTHORIZED};
use crate::text::Text;

const fn text(zh: &'static str, en: &'static str) -> Text {
    Text { zh, en }
}

// Signing in.
pub(crate) const SIGN_IN: Text = text("登录", "Sign in");
pub(crate) const SIGN_IN_AGAIN: Text = text("请重新登录", "Sign in again");
pub(crate) const ENDED: Text = text(
    "登录已结束: 数值停留在最后时刻, 登录后继续",
    "The sign-in has ended: values stand still, and go on once you have signed in",
);
pub(crate) const USER: Text = text("用户名", "User name");
pub(crate) const PASSWORD: Text = text("密码", "Password");
pub(crate) const SHOW: Text = text("显示", "Show");
pub(crate) const SHOW_PASSWORD: Text = text("显示密码", "Show the password");
pub(crate) const CAPS_LOCK: Text = text("大写锁定已开启", "Caps lock is on");
pub(crate) const ENCRYPTED: Text = text("连接已加密 (TLS)", "The connection is encrypted (TLS)");
pub(crate) const NOT_ENCRYPTED: Text = text(
    "连接未加密: 同一网络中的他人可能看到密码",
    "The connection is not encrypted: others in this network may see the password",
);
pub(crate) const LOGIN_IS_OFF: Text = text("本站点无需登录", "Nobody has to sign in here");
pub(crate) const NEEDS_SCRIPT: Text =
    text("登录需要浏览器启用脚本", "Signing in takes a browser that runs scripts");
pub(crate) const CHOICES: Text = text("语言与主题", "Language and theme");

// The stay.
pub(crate) const ENDS_SOON: Text = text("登录即将结束", "The sign-in ends soon");
pub(crate) const EXTEND: Text = text("延长", "Extend");
pub(crate) const PAGE_LOCKED: Text = text(
    "页面已锁定: 数值继续更新, 操作需要密码",
    "The page is locked: values go on, acting takes the password",
);
pub(crate) const UNLOCK: Text = text("解锁", "Unlock");
pub(crate) const ROLE: Text = text("角色", "Role");
pub(crate) const TIME_LEFT: Text = text("登录剩余", "Signed in for");
pub(crate) const ACCOUNT: Text = text("我的账户", "My account");
pub(crate) const MY_SIGN_INS: Text = text("我的登录记录", "My sign-ins");
pub(crate) const CHANGE_PASSWORD: Text = text("修改密码", "Change the password");
pub(crate) const SIGN_OUT: Text = text("退出登录", "Sign out");

// Passwords.
pub(crate) const MUST_CHANGE: Text = text(
    "密码由他人设置: 请先换成自己的密码",
    "The password was set by somebody else: choose one of your own first",
);
pub(crate) const OLD_PASSWORD: Text = text("当前密码", "Current password");
pub(crate) const NEW_PASSWORD: Text = text("新密码", "New password");
pub(crate) const REPEAT_PASSWORD: Text = text("再次输入新密码", "The new password again");
pub(crate) const PASSWORD_RULE: Text = text(
    "至少 12 个字符, 不易被猜到: 不含用户名、常用词或键盘顺序",
    "At least 12 characters, and not easily guessed: no name, common word or row of keys",
);
pub(crate) const CHANGED: Text = text("密码已修改", "The password was changed");

// What stands on lists.
pub(crate) const WHEN: Text = text("时间", "Time");
pub(crate) const FROM: Text = text("来自", "From");
pub(crate) const RESULT: Text = text("结果", "Result");
pub(crate) const SUCCEEDED: Text = text("成功", "Succeeded");
pub(crate) const REFRESH: Text = text("刷新", "Refresh");
pub(crate) const NOTHING: Text = text("没有记录", "There is nothing");
pub(crate) const NO_RIGHT: Text = text("您的角色无权查看此页", "Your role may not see this page");
pub(crate) const SYSTEM: Text = text("系统", "System");

// Accounts.
pub(crate) const USERS: Text = text("用户与角色", "Users and roles");
pub(crate) const ADD_USER: Text = text("新增用户", "Add a user");
pub(crate) const ACCOUNT_OF: Text = text("账户", "Account");
pub(crate) const UNLOCK_WHY: Text =
    text("该用户可以立即再次尝试登录", "The user may try to sign in again at once");
pub(crate) const ADD: Text = text("新增", "Add");
pub(crate) const CHANGE: Text = text("修改", "Change");
pub(crate) const SAVE: Text = text("保存", "Save");
pub(crate) const DISABLE: Text = text("停用", "Disable");
pub(crate) const ENABLE: Text = text("启用", "Enable");
pub(crate) const REMOVE: Text = text("删除", "Delete");
pub(crate) const REMOVE_WHY: Text = text(
    "账户及其所有登录随即结束, 不可恢复; 审计记录保留",
    "The account and all its sign-ins end at once, for good; what it did stays on record",
);
pub(crate) const SITES: Text = text("站点", "Sites");
pub(crate) const ALL_SITES: Text = text("全部", "all");
pub(crate) const SITES_HINT: Text =
    text("站点编号, 以逗号分隔; 留空为全部", "Site ids with commas between; empty means all");
pub(crate) const FIRST_PASSWORD_HINT: Text = text(
    "至少 12 个字符; 用户首次登录时须修改",
    "At least 12 characters; to be changed at the first sign-in",
);
pub(crate) const OTHER_PASSWORD: Text = text("新密码 (留空不变)", "New password (empty: as it is)");
pub(crate) const CUTS_OFF: Text = text(
    "该用户的所有登录随即结束, 须重新登录",
    "Whoever is signed in to this account has to sign in again at once",
);
pub(crate) const STANDING: Text = text("状态", "Status");
pub(crate) const ENABLED: Text = text("启用", "enabled");
pub(crate) const DISABLED: Text = text("已停用", "disabled");
pub(crate) const NOT_CHANGED_YET: Text = text("待改密码", "password to be changed");
pub(crate) const LAST_SIGN_IN: Text = text("最近登录", "Last sign-in");
pub(crate) const NEVER: Text = text("从未", "never");
pub(crate) const ACTIONS: Text = text("操作", "Actions");

// Sessions.
pub(crate) const SESSIONS: Text = text("会话与连接", "Sessions and connections");
pub(crate) const SIGN_INS: Text = text("有效登录", "Sign-ins that hold");
pub(crate) const CONNECTIONS: Text = text("连接", "Connections");
pub(crate) const SINCE: Text = text("自", "Since");
pub(crate) const UNTIL: Text = text("至", "Until");
pub(crate) const OWN: Text = text("本次登录", "this one");
pub(crate) const KICK: Text = text("强制下线", "Sign out");
pub(crate) const KICK_WHY: Text = text(
    "该登录及其连接在 1 秒内断开",
    "The sign-in ends, and its connections are closed within a second",
);
pub(crate) const CONNECTION: Text = text("连接标识", "Connection");
pub(crate) const DEVICE: Text = text("设备", "Device");
pub(crate) const QUEUE: Text = text("积压帧", "Frames waiting");
pub(crate) const SENT: Text = text("已发送", "Sent");
pub(crate) const STREAMS: Text = text("数据流", "Streams");
pub(crate) const BLOCKED: Text = text("接收阻塞", "takes no more");
pub(crate) const RESUMED: Text = text("续连", "resumed");

pub(crate) fn role(role: Role) -> Text {
    match role {
        Role::Viewer => text("观察员", "Viewer"),
        Role::Operator => text("操作员", "Operator"),
        Role::Engineer => text("工程师", "Engineer"),
        Role::Admin => text("管理员", "Administrator"),
        Role::Auditor => text("审计员", "Auditor"),
        Role::Developer => text("开发者", "Developer"),
    }
}

/// What somebody may do by a role.
pub(crate) fn role_why(role: Role) -> Text {
    match role {
        Role::Viewer => text("只看", "looks"),
        Role::Operator => text("下发指令", "gives commands"),
        Role::Engineer => text("指令、配置与记录", "commands, configuration and records"),
        Role::Admin => text("全部权限", "everything"),
        Role::Auditor => text("查看记录, 不可操作", "reads records, touches nothing"),
        Role::Developer => text("接口文档", "documents of the interface"),
    }
}

/// Until when nobody can sign in to an account.
pub(crate) fn locked_until(language: Language, until: &str) -> String {
    match language {
        Language::Zh => format!("锁定至 {until}"),
        Language::En => format!("locked until {until}"),
    }
}

/// Why a request was in vain, and what to do about it.
pub(crate) fn failure(failed: &Failed, language: Language) -> String {
    let known = match failed.code.as_str() {
        "WRONG_CREDENTIALS" => text("用户名或密码错误", "The name or the password is wrong"),
        "LOCKED" => text("失败次数过多", "Too many failed attempts"),
        "TOO_MANY" => text(
            "来自此地址的尝试过多, 请 1 分钟后再试",
            "Too many attempts from this address: try again in a minute",
        ),
        "BUSY" => text("同时登录者过多, 请稍后再试", "Many sign in at this moment: try again soon"),
        "PEOPLE_UNAVAILABLE" => {
            text("账户暂时无法读写", "Accounts cannot be read or written just now")
        }
        "LOGIN_IS_OFF" => LOGIN_IS_OFF,
        "BAD_NAME" => text(
            "用户名只能含字母、数字、点、横线和下划线, 最多 64 个",
            "A name has letters, digits, dots, hyphens and underscores, 64 at most",
        ),
        "WEAK_PASSWORD" => text("密码不合要求", "The password does not do"),
        "NAME_TAKEN" => text("用户名已存在", "There is an account of this name"),
        "NO_SUCH_ACCOUNT" => text("没有这个账户", "There is no such account"),
        "NO_SUCH_SESSION" => text("该登录已结束", "That sign-in is over already"),
        "LAST_ADMIN" => text("这是最后一个管理员", "This is the last administrator"),
        "NO_ACCOUNT" => text("此登录在本站点没有账户", "This sign-in has no account here"),
        "NOT_PERMITTED" => text("您的角色无权这样做", "Your role may not do that"),
        "PASSWORD_CHANGE" => MUST_CHANGE,
        "RECORDS_UNAVAILABLE" | "NOT_READY" => text("暂时无法读取", "It cannot be read just now"),
        UNAUTHORIZED => text("未登录或已过期", "Not signed in, or not any more"),
        NO_CONNECTION => {
            text("服务器无应答: 请检查网络", "The server does not answer: check the network")
        }
        TOO_SHORT => text("新密码不足 12 个字符", "The new password has fewer than 12 characters"),
        NOT_THE_SAME => {
            text("两次输入的新密码不同", "The new password was not typed twice the same")
        }
        NO_SUCH_SITE => text("站点编号无效", "That is no site id"),
        _ => text("服务器拒绝了请求", "The server refused the request"),
    };
    let known = known.of(language);
    match (failed.code.as_str(), failed.wait) {
        (_, Some(wait)) => {
            let after = format::age(wait);
            match language {
                Language::Zh => format!("{known}, 请 {after} 后再试"),
                Language::En => format!("{known}: try again in {after}"),
            }
        }
        // What the server found is worth to be told in its own words.
        ("WEAK_PASSWORD" | "BAD_NAME" | "BAD_QUERY" | "BAD_BODY" | "", None)
            if !failed.detail.is_empty() =>
        {
            format!("{known} ({})", failed.detail)
        }
        _ => known.into(),
    }
}

/// Why an attempt to sign in failed.
pub(crate) fn reason(word: &str) -> Option<Text> {
    Some(match word {
        "WRONG_PASSWORD" => text("密码错误", "wrong password"),
        "LOCKED" | "LOCKED_OUT" => text("账户已锁定", "locked out"),
        "DISABLED" => text("账户已停用", "account disabled"),
        _ => return None,
    })
}

// What a page itself finds wrong.
pub(crate) const TOO_SHORT: &str = "TOO_SHORT";
pub(crate) const NOT_THE_SAME: &str = "NOT_THE_SAME";
pub(crate) const NO_SUCH_SITE: &str = "NO_SUCH_SITE";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_in_vain_is_said_in_both_languages() {
        let failed = |code: &str| Failed { detail: "why".into(), ..Failed::of(code) };
        let locked = Failed { wait: Some(Duration::from_secs(900)), ..failed("LOCKED") };
        let table = [
            (failed("WRONG_CREDENTIALS"), "用户名或密码错误", "The name or the password is wrong"),
            (
                locked,
                "失败次数过多, 请 15\u{a0}min 后再试",
                "Too many failed attempts: try again in 15\u{a0}min",
            ),
            (failed("WEAK_PASSWORD"), "密码不合要求 (why)", "The password does not do (why)"),
            (failed(""), "服务器拒绝了请求 (why)", "The server refused the request (why)"),
            (
                failed(NO_CONNECTION),
                "服务器无应答: 请检查网络",
                "The server does not answer: check the network",
            ),
        ];
        for (failed, zh, en) in table {
            assert_eq!(failure(&failed, Language::Zh), zh);
            assert_eq!(failure(&failed, Language::En), en);
        }
    }

    #[test]
    fn every_role_has_a_name_and_says_what_it_may() {
        let mut words: Vec<Text> = Role::ALL.map(role).into();
        words.extend(Role::ALL.map(role_why));
        for (index, word) in words.iter().enumerate() {
            assert!(!word.zh.is_empty() && !word.en.is_empty(), "{word:?}");
            assert!(!words[..index].contains(word), "{word:?} stands for two");
        }
    }
}
