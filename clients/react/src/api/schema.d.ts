// Made from the OpenAPI document by `npm run types`. Do not edit.

export interface paths {
    "/api/billing/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Close Periods
         * @description Close every period that is due; doing it again closes nothing twice. Scope: admin.
         */
        post: operations["close_periods"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/credits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Credit Grants
         * @description List grants, oldest first, with what is left of each now; expired and voided ones too. Scope: read.
         */
        get: operations["list_credit_grants"];
        put?: never;
        /**
         * Grant Credits
         * @description Grant credits to a team. Scope: admin.
         */
        post: operations["grant_credits"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/credits/balance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Credit Balance
         * @description What a team has at a moment, of each currency and of each metric. Scope: read.
         */
        get: operations["credit_balance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/credits/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Credit Ledger
         * @description List the transactions that moved a team's credits, newest first. Scope: read.
         */
        get: operations["credit_ledger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/credits/{grant_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Credit Grant
         * @description One grant, with what is left of it now. Scope: read.
         */
        get: operations["get_credit_grant"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/credits/{grant_id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Void Credit Grant
         * @description Void what is left of a grant. What it has paid stays paid. Again: nothing happens. Scope: admin.
         */
        post: operations["void_credit_grant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Invoices
         * @description List invoices and credit notes, the newest first; a key for one team sees that team's. Scope: read.
         */
        get: operations["list_invoices"];
        put?: never;
        /**
         * Draft Invoice
         * @description Make the draft that bills a closed statement, or make it anew. Scope: admin.
         */
        post: operations["draft_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Invoice
         * @description One document and everything that it says. Scope: read.
         */
        get: operations["get_invoice"];
        put?: never;
        post?: never;
        /**
         * Discard Invoice
         * @description Throw a draft away. Scope: admin.
         */
        delete: operations["discard_invoice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}/credit-notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Credit Invoice
         * @description Give back parts of an invoice's lines, with the taxes that they bore. Scope: admin.
         */
        post: operations["credit_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}/document": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Invoice Document
         * @description The document as PDF, HTML, CSV or JSON; of a final one always the same bytes. Scope: read.
         */
        get: operations["get_invoice_document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}/finalize": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finalize Invoice
         * @description Give a draft its number and freeze it; done twice, it is done once. Scope: admin.
         */
        post: operations["finalize_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}/pay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pay Invoice
         * @description Note that a final document was paid (a credit note: paid back). Scope: admin.
         */
        post: operations["pay_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/invoices/{invoice_id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Void Invoice
         * @description Take a final invoice back by a credit note over all that is left of it. Scope: admin.
         *
         *     Its statement can be billed again.
         */
        post: operations["void_invoice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/lines/{line_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain Events
         * @description The events behind a line as known when it was closed, or those that an adjustment is about. Scope: read.
         */
        get: operations["explain_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/lines/{line_id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Explain Line
         * @description How a line came about: price, usage by window and dimension, steps, adjustments. Scope: read.
         */
        get: operations["explain_line"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/periods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Periods
         * @description List statements, the newest period first: closed ones, and drafts of open ones. Scope: read.
         */
        get: operations["list_periods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Preview
         * @description What usage would cost on a plan, or a team on another plan. Scope: read.
         */
        post: operations["preview"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/recipients/{team_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Invoice Recipient
         * @description How a team is addressed on its documents. Scope: read.
         */
        get: operations["get_invoice_recipient"];
        /**
         * Set Invoice Recipient
         * @description Say how a team is addressed from its next document on; final ones stay as they are. Scope: admin.
         */
        put: operations["set_invoice_recipient"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/statements/current": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Current Statement
         * @description The statement of the period that is running, now or as it was known at a past moment. Scope: read.
         */
        get: operations["current_statement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/statements/{period_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Closed Statement
         * @description A closed statement with its lines, as it was closed. Scope: read.
         */
        get: operations["closed_statement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/statements/{period_id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Verify Statement
         * @description Make a closed statement anew from raw events, as known when it was closed, and compare. Scope: read.
         */
        get: operations["verify_statement"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/billing/statements/{period_id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Void Statement
         * @description Take a closed statement out of the books; its period can be closed anew. Scope: admin.
         */
        post: operations["void_statement"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/catalogue": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Catalogue
         * @description Metrics, plans and prices with every version of them that holds, held or will. Scope: read, every team.
         *
         *     Versions that were corrected are left out, and so are prices that were agreed with a single team.
         */
        get: operations["get_catalogue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/currencies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Exchange Rate Sources
         * @description What there are exchange rates of: the European Central Bank's history, and uploaded tables. Scope: read.
         */
        get: operations["list_exchange_rate_sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/currencies/convert": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Convert Amount
         * @description An amount in another currency, as a statement would convert it. Scope: read.
         */
        get: operations["convert_amount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/currencies/rates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Exchange Rates
         * @description The rate of a pair for each day of some days, at most 1,000. Scope: read.
         */
        get: operations["exchange_rates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/currencies/tables/{table}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Upload Exchange Rates
         * @description Upload a table of exchange rates as CSV, all of it or nothing. Sending it again changes nothing. Scope: admin.
         *
         *     From its first day on, a table answers for its pairs alone: a gap of more than 7 days is an error. The name `ecb`
         *     is for newer rates of the European Central Bank, which are added to its history instead.
         */
        put: operations["upload_exchange_rates"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Keys
         * @description List keys, revoked ones too, oldest first. Scope: admin.
         */
        get: operations["list_keys"];
        put?: never;
        /**
         * Create Key
         * @description Make a key. Scope: admin.
         */
        post: operations["create_key"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Key
         * @description Revoke a key: this server refuses it at once, others within two seconds. Scope: admin.
         */
        delete: operations["revoke_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live
         * @description A stream of server-sent events. With a team its usage and cost, right away and after each roll-up that touched it, at most once a second; without one the teams that were touched. Alerts of both. A comment every 15 seconds keeps it open. Scope: read.
         */
        get: operations["live_usage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Channels
         * @description List channels by name. Scope: admin.
         */
        get: operations["list_channels"];
        put?: never;
        /**
         * Create Channel
         * @description Make a channel. Scope: admin.
         *
         *     A webhook's secret is in this answer and in no other.
         */
        post: operations["create_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/channels/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Channel
         * @description Show a channel. Scope: admin.
         */
        get: operations["get_channel"];
        put?: never;
        post?: never;
        /**
         * Remove Channel
         * @description Remove a channel; what still waits for it is parked. Scope: admin.
         */
        delete: operations["remove_channel"];
        options?: never;
        head?: never;
        /**
         * Change Channel
         * @description Change a channel; if it was paused because it failed, it is tried again at once. Scope: admin.
         */
        patch: operations["change_channel"];
        trace?: never;
    };
    "/api/notifications/channels/{name}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate Secret
         * @description Give a webhook a new signing secret; for a while the old one signs beside it. Scope: admin.
         */
        post: operations["rotate_secret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/channels/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send Test
         * @description Send a test message by the way of every other. Scope: admin.
         */
        post: operations["send_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Deliveries
         * @description List messages and what became of them, newest first. Scope: read, every team.
         */
        get: operations["list_deliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/deliveries/{delivery_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Delivery
         * @description Show a message and what became of it. Scope: read, every team.
         */
        get: operations["get_delivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/deliveries/{delivery_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay Delivery
         * @description Send what was parked, or sent, once more: the same message with the same id. Scope: admin.
         */
        post: operations["replay_delivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/notifications/preferences/{team_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Preferences
         * @description Show how a team wants to be told. Scope: read.
         */
        get: operations["get_preferences"];
        /**
         * Put Preferences
         * @description Say how a team wants to be told. Scope: admin.
         *
         *     What is left out is as if it was never said. What is on its way already is left as it is.
         */
        put: operations["put_preferences"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Overview
         * @description All teams at a glance. Scope: read, with a key for every team.
         *
         *     Kept by the server for the teams that are touched: a number is some seconds old where many are.
         */
        get: operations["get_overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/portal/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Portal Keys
         * @description List what tokens are signed with. Scope: admin.
         */
        get: operations["list_portal_keys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/portal/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate Portal Keys
         * @description Sign with a new key from now on. Scope: admin.
         */
        post: operations["rotate_portal_keys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/portal/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Portal Key
         * @description Refuse every token that a key signed. Scope: admin.
         */
        delete: operations["revoke_portal_key"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/portal/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Portal Tokens
         * @description List tokens, expired ones of the last 30 days too, oldest first. Scope: admin.
         */
        get: operations["list_portal_tokens"];
        put?: never;
        /**
         * Create Portal Token
         * @description Give out a token with which a browser sees one team, and nothing else. Scope: admin.
         */
        post: operations["create_portal_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/portal/tokens/{token_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke Portal Token
         * @description Revoke a token: this server refuses it at once, others within two seconds. Scope: admin.
         */
        delete: operations["revoke_portal_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Session
         * @description Show who the caller is. Any key or token may ask.
         */
        get: operations["get_session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Teams
         * @description List teams by id; a key for one team sees that one. Scope: read.
         */
        get: operations["list_teams"];
        put?: never;
        /**
         * Create Team
         * @description Make a team. Scope: admin.
         */
        post: operations["create_team"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Team
         * @description One team. Scope: read.
         */
        get: operations["get_team"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Update Team
         * @description Change a team's name, time zone, currency or metadata. Scope: admin.
         */
        patch: operations["update_team"];
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Subscriptions
         * @description List a team's subscriptions, ended ones too, oldest first. Scope: read.
         */
        get: operations["list_subscriptions"];
        put?: never;
        /**
         * Subscribe Team
         * @description Put a team on a plan. The subscription in force when this one starts ends there. Scope: admin.
         */
        post: operations["subscribe_team"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel Subscription
         * @description End a team's subscription, by default with the running billing period. Scope: admin.
         *
         *     Moves that were to follow are taken back.
         */
        post: operations["cancel_subscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/change": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change Plan
         * @description Move a team to another plan or version, now, at the period's end or at an instant. Scope: admin.
         *
         *     Billing periods, trial and a planned end go on; moves that were to follow are taken back. Answers with the
         *     subscription that the team is on from then on.
         */
        post: operations["change_plan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/keep": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Keep Subscription
         * @description Take back a cancellation that has not taken effect. Scope: admin.
         */
        post: operations["keep_subscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause Subscription
         * @description Charge a team nothing for a while; its usage goes on to be metered. Scope: admin.
         */
        post: operations["pause_subscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume Subscription
         * @description End a pause; where none is running, take back the next one that is planned. Scope: admin.
         */
        post: operations["resume_subscription"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/trial": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set Trial
         * @description Let the trial of the subscription in force end at another instant. Scope: admin.
         */
        post: operations["set_trial"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/teams/{team_id}/subscriptions/{subscription_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End Subscription
         * @description End a subscription now; take it back if it has not begun. Scope: admin.
         */
        delete: operations["end_subscription"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/aggregate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Aggregate Usage
         * @description Roll up now, and compute and keep the current statement of one team or of all. Scope: admin.
         *
         *     With `sync`, the billing provider is then told what can be told now, of the teams of the answer.
         */
        post: operations["aggregate_usage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/alerts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Alerts
         * @description List alerts, oldest first. Scope: read.
         */
        get: operations["list_alerts"];
        put?: never;
        /**
         * Create Alert
         * @description Make an alert. A limit that is crossed already is told at once. Scope: admin.
         */
        post: operations["create_alert"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/alerts/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alert History
         * @description List changes of state with the numbers that caused them, newest first. Scope: read.
         */
        get: operations["alert_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/alerts/history/{entry_id}/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Verify Alert History
         * @description Measure again what caused a change of state, from what was known then. Scope: read.
         */
        get: operations["verify_alert_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/alerts/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Alert Status
         * @description How the active alerts about a team stand, each with its number as it is now. Scope: read.
         */
        get: operations["alert_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/alerts/{alert_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Alert
         * @description One alert. Scope: read.
         */
        get: operations["get_alert"];
        put?: never;
        post?: never;
        /**
         * Delete Alert
         * @description Delete an alert, and stop what it throttles. Its history stays. Scope: admin.
         */
        delete: operations["delete_alert"];
        options?: never;
        head?: never;
        /**
         * Change Alert
         * @description Change an alert. A step with a new limit tells anew; one that stays does not. Scope: admin.
         */
        patch: operations["change_alert"];
        trace?: never;
    };
    "/api/usage/alerts/{alert_id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send Alert Test
         * @description Send a test of each step on the way that it goes when it is crossed. Scope: admin.
         */
        post: operations["send_alert_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check a limit, by status
         * @description The same, for gateways that look at the status alone: 200 when allowed, else 429 (or what `deny` says), with the same headers and body. Scope: ingest.
         */
        get: operations["check_usage_by_status"];
        put?: never;
        /**
         * Check a limit
         * @description Whether a team may use so much more of a metric now. It includes every event that was acknowledged. The answer is 200 either way, with X-RateLimit headers. Scope: ingest.
         */
        post: operations["check_usage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Dead Letters
         * @description List rejected events, newest first, with how many wait by reason. Scope: read.
         */
        get: operations["list_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Discard Dead Letters
         * @description Give up every letter that waits and matches. Scope: admin.
         */
        post: operations["discard_dead_letters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay Dead Letters
         * @description Send many dead letters again, oldest first, up to 500 a request. Scope: ingest, for every team.
         *
         *     Those of senders whose key is not for the team (`forbidden_team`) are left out unless `code` or `kind` names them.
         */
        post: operations["replay_dead_letters"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters/{letter_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Dead Letter
         * @description One dead letter, with every repair of it. Scope: read.
         */
        get: operations["get_dead_letter"];
        put?: never;
        post?: never;
        /**
         * Delete Dead Letter
         * @description Erase a letter that was replayed or discarded, with its edits. Scope: admin.
         */
        delete: operations["delete_dead_letter"];
        options?: never;
        head?: never;
        /**
         * Edit Dead Letter
         * @description Keep a repaired event beside what was sent, for a replay to send. Scope: ingest, for every team.
         *
         *     What was sent stays as it is. The repaired event is checked as far as it can be without storing it.
         */
        patch: operations["edit_dead_letter"];
        trace?: never;
    };
    "/api/usage/dead-letters/{letter_id}/discard": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Discard Dead Letter
         * @description Give a letter up: it waits no longer, and stays on record with the reason. Scope: admin.
         */
        post: operations["discard_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters/{letter_id}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replay Dead Letter
         * @description Send a dead letter again, as it was edited last, else as it came. Scope: ingest, for every team.
         *
         *     With `event` or `changes` it is edited first. Replaying can't count an event twice.
         */
        post: operations["replay_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/dead-letters/{letter_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore Dead Letter
         * @description Let a letter that was discarded wait again. Scope: admin.
         */
        post: operations["restore_dead_letter"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Events
         * @description List raw events, newest first unless `sort` says otherwise. Scope: read.
         *
         *     A page may be short, or empty, and not be the last one: where `looked_to` is an instant, looking for what has no
         *     index ended there, and goes on with `next_cursor`.
         */
        get: operations["list_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Events
         * @description All events that match, as a CSV or NDJSON file. Scope: read.
         *
         *     It is written while it is read, however long it gets; a line of NDJSON is what the listing answers for the event.
         */
        get: operations["export_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events/{event_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Event
         * @description One event as it was recorded. Scope: read.
         */
        get: operations["get_event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events/{event_id}/amend": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Amend Event
         * @description Put a corrected event in the place of one. Both stay on record. Scope: admin.
         */
        post: operations["amend_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events/{event_id}/trace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Trace Event
         * @description One event in full: which metrics count it and as what, the roll-ups it is in, and its timeline. Scope: read.
         */
        get: operations["trace_event"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/events/{event_id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Void Event
         * @description Say that an event no longer counts. What was recorded stays; voiding it again changes nothing. Scope: admin.
         */
        post: operations["void_event"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Limits
         * @description List limits, oldest first. Scope: read.
         */
        get: operations["list_limits"];
        /**
         * Put Limit
         * @description Set a limit, in place of the one there is of the same team or plan, metric and type. Scope: admin.
         */
        put: operations["put_limit"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/limits/policies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Policies
         * @description Show what checks of each metric answer while usage can't be read. Scope: read, every team.
         */
        get: operations["list_policies"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/limits/policies/{metric}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Put Policy
         * @description Say what checks of a metric answer while usage can't be read; the default is `open`. Scope: admin.
         */
        put: operations["put_policy"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/limits/{limit_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Limit
         * @description One limit. Scope: read.
         */
        get: operations["get_limit"];
        put?: never;
        post?: never;
        /**
         * Remove Limit
         * @description Remove a limit. Scope: admin.
         */
        delete: operations["remove_limit"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Usage Report
         * @description Usage, cost with its steps, projection and history of one team. Scope: read.
         *
         *     As CSV: the history alone, a row per metric, dimension values and window.
         */
        get: operations["usage_report"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/reservations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Reservations
         * @description List reservations, oldest first; those that are over for 30 days at most. Scope: read.
         */
        get: operations["list_reservations"];
        put?: never;
        /**
         * Reserve a quantity
         * @description Keep a quantity of a limit free for work that is under way: usage and reservations together never exceed a hard limit. 201 with the reservation when allowed, else 200 with `reservation` null. Scope: ingest.
         */
        post: operations["reserve_usage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/reservations/{reservation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get Reservation
         * @description One reservation. Scope: read.
         */
        get: operations["get_reservation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/reservations/{reservation_id}/commit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Commit a reservation
         * @description Say what carries its usage: `events`, which are stored as the track route stores them, or the `idempotency_keys` of events that are tracked elsewhere. The quantity stays free until they are recorded. Events without a team or a key get those of the reservation, so sending the same request again is safe. Scope: ingest.
         */
        post: operations["commit_reservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/reservations/{reservation_id}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Release Reservation
         * @description Give back what a reservation keeps free. Again: nothing happens. Scope: ingest.
         */
        post: operations["release_reservation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/throttles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Throttles
         * @description Who is stopped, for which metric, by which cause, until when. Scope: read.
         */
        get: operations["list_throttles"];
        /**
         * Put Throttle
         * @description Stop a team: checks are refused, whatever its limits say, until the cause ends. Scope: admin.
         */
        put: operations["put_throttle"];
        post?: never;
        /**
         * End Throttle
         * @description End one cause; answers those that are left. Again: nothing happens. Scope: admin.
         */
        delete: operations["end_throttle"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/track": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Track usage
         * @description Store one event, a JSON array of events, or NDJSON (one event per line); gzip is accepted. It answers after the commit: what is `accepted` can't be lost. An event is counted once for ever: sending it again, with any timestamp, is a duplicate. A bad event is rejected alone and kept as a dead letter; when every event was rejected, the answer is 422. Scope: ingest.
         */
        post: operations["track_usage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/unvalued": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count Unvalued
         * @description Which metrics find no value in events of which teams, the most first, as far as roll-ups have got. Scope: read.
         *
         *     Such events are stored and add nothing to the usage; once the metric is corrected they count.
         */
        get: operations["count_unvalued"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/usage/unvalued/{metric}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Unvalued
         * @description List the events of a team that a metric counts but finds no value in, newest first, and why. Scope: read.
         */
        get: operations["list_unvalued"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Store events of producers made for OpenMeter, CloudEvents or Lago
         * @description CloudEvents in structured mode (one or a batch) and in HTTP's binary mode (`ce-*` headers), or one event of Lago. CloudEvents are answered with 204; where some are rejected with 400, which names them: the others are stored, and sending all of them again counts nothing twice. Rejected events are kept as dead letters. Scope: ingest.
         */
        post: operations["ingest_events"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Store events of producers made for Lago
         * @description Where some are rejected the answer is 422, which names them by their place: the others are stored, and sending all of them again counts nothing twice. Scope: ingest.
         */
        post: operations["ingest_event_batch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List metrics as meters
         * @description By name. Scope: read.
         */
        get: operations["list_meters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{slug}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show a metric as a meter
         * @description Scope: read.
         */
        get: operations["get_meter"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/meters/{slug}/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Query a meter
         * @description The usage of a metric, as OpenMeter's clients ask for it. `from` is inclusive and `to` exclusive; without them it is from the first event to the last. `subject` picks teams and keeps them apart. Windows in which nothing happened are absent. `Accept: text/csv` is answered with CSV. Scope: read.
         */
        get: operations["query_meter"];
        put?: never;
        /**
         * Query a meter with a body
         * @description The usage of a metric, as OpenMeter's clients ask for it. `from` is inclusive and `to` exclusive; without them it is from the first event to the last. `subject` picks teams and keeps them apart. Windows in which nothing happened are absent. `Accept: text/csv` is answered with CSV. Scope: read.
         */
        post: operations["query_meter_with_body"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/in": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Webhook Sources
         * @description The sources of inbound webhooks, and what came from each in the last 30 days. Scope: read, every team.
         */
        get: operations["list_webhook_sources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/in/{source}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive a webhook
         * @description Take usage in from a system that can only call a URL. The source is configured on the server: how it signs, and how its payload becomes events. Instead of an API key the request carries the source's signature. The answer is 200 once everything is stored, or kept as a dead letter; there is no use in sending it again.
         */
        post: operations["receive_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/webhooks/stripe": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Receive an event of Stripe's
         * @description For Stripe's event destinations, of snapshot and of thin payload. Instead of an API key it carries Stripe's signature. It is answered once the event is stored, which happens once however often it comes; what follows of it is done later. Nothing of the payload is kept but what happened, when, and to what.
         */
        post: operations["receive_stripe_webhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Live
         * @description The process answers. For liveness probes; needs no key.
         */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ready
         * @description The database answers too, so requests can be served. For readiness probes; needs no key.
         */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Account
         * @description The accounts of an allotment. What comes from `issued` is available, and ends up on one of the others.
         * @enum {string}
         */
        Account: "issued" | "available" | "used" | "expired" | "voided";
        /**
         * ActionAnswer
         * @description What happens when a step is crossed.
         */
        ActionAnswer: {
            /**
             * Notify
             * @description Channels that are told; none: those that the team prefers.
             */
            notify: string[];
            /**
             * Throttle
             * @description Whether the team is throttled until it is resolved or the period ends.
             */
            throttle: boolean;
        };
        /**
         * ActionRequest
         * @description What happens when a step is crossed.
         */
        ActionRequest: {
            /**
             * Notify
             * @description Channels to tell. Default: those that the team prefers.
             * @default []
             */
            notify: string[];
            /**
             * Throttle
             * @description Throttle the team until it is resolved or the period ends. Hard steps only.
             * @default false
             */
            throttle: boolean;
        };
        /**
         * AdjustsAnswer
         * @description What an adjustment corrects, and why.
         */
        AdjustsAnswer: {
            /**
             * Cause
             * @description How many events were `late`, `amended` and `voided`, which prices, metrics or `terms` are others, and the first of those `events`.
             */
            cause: {
                [key: string]: unknown;
            };
            /**
             * Key
             * @description Its line.
             */
            key: string;
            /**
             * Period Id
             * @description The closed statement.
             */
            period_id: number;
        };
        /**
         * AggregateAnswer
         * @description What the roll-up did, and the open statements that were computed and kept.
         */
        AggregateAnswer: {
            /** Data */
            data: components["schemas"]["StatementAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next teams; null on the last page.
             */
            next_cursor: string | null;
            rolled_up: components["schemas"]["RolledUp"];
            /** @description What the billing provider was told; null: that was not asked for. */
            sync: components["schemas"]["SyncAnswer"] | null;
        };
        /**
         * AggregateRequest
         * @description Whose statements to compute: one team's, or a page of all teams'.
         * @example {
         *       "team_id": "acme"
         *     }
         */
        AggregateRequest: {
            /**
             * Cursor
             * @description The `next_cursor` of the answer before.
             */
            cursor?: string | null;
            /**
             * Limit
             * @description Most statements of one answer.
             * @default 100
             */
            limit: number;
            /**
             * Sync
             * @description Then bring the billing provider (Stripe) up to date as well.
             * @default false
             */
            sync: boolean;
            /**
             * Team Id
             * @description Default: every team, a page at a time.
             */
            team_id?: string | null;
        };
        /**
         * AlertAnswer
         * @description An alert with its steps.
         */
        AlertAnswer: {
            /** @description Of steps that do not say their own. */
            action: components["schemas"]["ActionAnswer"];
            /** Active */
            active: boolean;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /** Currency */
            currency: string | null;
            /**
             * Hysteresis
             * Format: decimal
             * @description How far back, in percent of its limit, a value goes until it is resolved.
             * @example 0.0008
             */
            hysteresis: string;
            /**
             * Id
             * @example 12
             */
            id: number;
            kind: components["schemas"]["tallystick__alerts__models__Kind"];
            /**
             * Last Triggered At
             * @description When a step was last crossed.
             */
            last_triggered_at: string | null;
            /** Metric */
            metric: string | null;
            /** Name */
            name: string;
            /**
             * Plan
             * @description Or the plan whose teams it is about; neither: all teams.
             */
            plan: string | null;
            /** Steps */
            steps: components["schemas"]["tallystick__alerts__answers__StepAnswer"][];
            /**
             * Team Id
             * @description The team that it is about.
             */
            team_id: string | null;
            /**
             * Threshold Value
             * Format: decimal
             * @description What percentages are of.
             * @example 1000
             */
            threshold_value: string;
            /** @description Of steps that do not say their own. */
            type: components["schemas"]["StepType"];
            /**
             * Updated At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            updated_at: string;
            /**
             * Weeks
             * @description Of a rate: how many past weeks it compares with.
             */
            weeks: number;
        };
        /**
         * AlertChanges
         * @description What is to be another of an alert; what is not sent stays. `steps` are replaced as a whole.
         * @example {
         *       "threshold_value": "2000"
         *     }
         * @example {
         *       "active": false
         *     }
         */
        AlertChanges: {
            action?: components["schemas"]["ActionRequest"] | null;
            /** Active */
            active?: boolean | null;
            /** Currency */
            currency?: string | null;
            /** Hysteresis */
            hysteresis?: string | null;
            kind?: components["schemas"]["tallystick__alerts__models__Kind"] | null;
            /** Metric */
            metric?: string | null;
            /** Name */
            name?: string | null;
            /** Plan */
            plan?: string | null;
            /** Steps */
            steps?: components["schemas"]["StepRequest"][] | null;
            /** Team Id */
            team_id?: string | null;
            /** Threshold Value */
            threshold_value?: string | null;
            type?: components["schemas"]["StepType"] | null;
            /** Weeks */
            weeks?: number | null;
        };
        /**
         * AlertRequest
         * @description An alert that is wanted: about a team, the teams of a plan, or, with neither, all teams.
         * @example {
         *       "currency": "USD",
         *       "kind": "cost",
         *       "name": "Monthly budget",
         *       "steps": [
         *         {
         *           "action": {
         *             "notify": [
         *               "email"
         *             ]
         *           },
         *           "percent": "80"
         *         },
         *         {
         *           "action": {
         *             "notify": [
         *               "slack",
         *               "email"
         *             ]
         *           },
         *           "percent": "100"
         *         },
         *         {
         *           "action": {
         *             "throttle": true
         *           },
         *           "percent": "120",
         *           "type": "hard"
         *         }
         *       ],
         *       "team_id": "acme",
         *       "threshold_value": "1000"
         *     }
         * @example {
         *       "action": {
         *         "notify": [
         *           "email"
         *         ]
         *       },
         *       "metric": "api_calls",
         *       "team_id": "acme",
         *       "threshold_value": "100000",
         *       "type": "soft"
         *     }
         */
        AlertRequest: {
            /**
             * @description Of steps that do not say their own.
             * @default {
             *       "notify": [],
             *       "throttle": false
             *     }
             */
            action: components["schemas"]["ActionRequest"];
            /**
             * Active
             * @default true
             */
            active: boolean;
            /**
             * Currency
             * @description Of amounts; others are converted. Default: the one that the team is billed in.
             */
            currency?: string | null;
            /**
             * Hysteresis
             * @description How far back, in percent of its limit, the value goes until a step is resolved. Default: 0; 5 for projections and rates.
             */
            hysteresis?: string | null;
            /** @description What is watched. Default: `usage` with a metric, else `cost`. */
            kind?: components["schemas"]["tallystick__alerts__models__Kind"] | null;
            /**
             * Metric
             * @description Of which usage, cost, credit or events. Needed for `usage`, `projected_usage` and `rate`.
             */
            metric?: string | null;
            /**
             * Name
             * @description Default: one that says what it watches.
             */
            name?: string | null;
            /**
             * Plan
             * @description Any version of it.
             */
            plan?: string | null;
            /**
             * Steps
             * @description Default: one, at the threshold itself.
             * @default []
             */
            steps: components["schemas"]["StepRequest"][];
            /** Team Id */
            team_id?: string | null;
            /**
             * Threshold Value
             * @description What percentages are of: a quantity, an amount, of a `rate` a change in percent (below zero: a fall), of an `absence` minutes.
             */
            threshold_value: string;
            /**
             * @description Of steps that do not say their own.
             * @default soft
             */
            type: components["schemas"]["StepType"];
            /**
             * Weeks
             * @description Past weeks a `rate` compares with. Default: 4.
             */
            weeks?: number | null;
        };
        /**
         * AlertTestRequest
         * @description Whose numbers and preferences a test takes.
         * @example {
         *       "team_id": "acme"
         *     }
         */
        AlertTestRequest: {
            /**
             * Team Id
             * @description Needed for an alert about more than one team.
             */
            team_id?: string | null;
        };
        /**
         * AlertsOverviewAnswer
         * @description How alerts stand.
         */
        AlertsOverviewAnswer: {
            /** Active */
            active: number;
            /**
             * Changes Last Day
             * @description At most 1,000.
             */
            changes_last_day: number;
            /** Teams Exceeded */
            teams_exceeded: number;
            /** Teams Warned */
            teams_warned: number;
        };
        /**
         * AmendRequest
         * @description What an event should have said. What is not given stays as it is.
         * @example {
         *       "quantity": "1024",
         *       "reason": "wrong unit"
         *     }
         */
        AmendRequest: {
            /** Event Type */
            event_type?: string | null;
            /**
             * Metadata
             * @description Replaces the metadata as a whole.
             */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /**
             * Quantity
             * @description Number or decimal string.
             */
            quantity?: unknown;
            /** Reason */
            reason: string;
            /** Timestamp */
            timestamp?: string | null;
            /** Unit */
            unit?: string | null;
            /** User Id */
            user_id?: string | null;
        };
        /**
         * Anchor
         * @description Where billing periods begin: with the calendar's, or on the day the subscription started.
         * @enum {string}
         */
        Anchor: "calendar" | "anniversary";
        /**
         * BalanceAnswer
         * @description Credits at a moment: granted = used + expired + voided + available.
         */
        BalanceAnswer: {
            /**
             * Available
             * Format: decimal
             * @description What is left.
             * @example 60
             */
            available: string;
            /**
             * Expired
             * Format: decimal
             * @description What was left over and is lost.
             * @example 0
             */
            expired: string;
            /**
             * Granted
             * Format: decimal
             * @description What was given so far; of a recurring grant every time.
             * @example 100
             */
            granted: string;
            /**
             * Pending
             * Format: decimal
             * @description What is granted but not in force yet.
             * @example 0
             */
            pending: string;
            /**
             * Used
             * Format: decimal
             * @description What has paid for closed billing periods.
             * @example 40
             */
            used: string;
            /**
             * Voided
             * Format: decimal
             * @description What was left when a grant was voided.
             * @example 0
             */
            voided: string;
        };
        /**
         * Basis
         * @description Which usage a price is applied to.
         *
         *     `interval`: the usage of the part of the period in which the price was in force. `period_end`: the
         *     usage of the whole period, at the price in force at its end, because usage that can't be added up
         *     (a maximum, an average) can't be split at a change of price either.
         * @enum {string}
         */
        Basis: "interval" | "period_end";
        /**
         * BillsAnswer
         * @description How the bills stand that are made here, and that the billing provider collects.
         */
        BillsAnswer: {
            /**
             * Held
             * @description Of those waiting, how many wait until something is put right; `hold` says what.
             */
            held: number;
            /**
             * Hold
             * @description What has to be put right; null: nothing.
             */
            hold: string | null;
            /**
             * Oldest
             * @description Since when the oldest waits; null: none does.
             */
            oldest: string | null;
            /**
             * Open
             * @description The provider asks to be paid.
             */
            open: number;
            /** Paid */
            paid: number;
            /**
             * Waiting
             * @description On their way to the provider.
             */
            waiting: number;
        };
        /**
         * BucketAnswer
         * @description The roll-up that an event is in.
         */
        BucketAnswer: {
            /**
             * End
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /**
             * Events
             * @description How many events are in it.
             */
            events: number;
            /**
             * Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            /**
             * Total
             * @description The sum of their values; null where there is none.
             */
            total: string | null;
        };
        /**
         * CancelAnswer
         * @description What was canceled.
         */
        CancelAnswer: {
            /** @description With its end; null: it had not begun, and was taken back. */
            subscription: components["schemas"]["SubscriptionAnswer"] | null;
        };
        /**
         * CancelRequest
         * @description The end of a subscription.
         * @example {
         *       "reason": "moved in-house",
         *       "when": "period_end"
         *     }
         */
        CancelRequest: {
            /**
             * Reason
             * @description In your words, for yourself.
             */
            reason?: string | null;
            /**
             * When
             * @description `now`, `period_end` (when the billing period ends that is running) or an RFC 3339 instant.
             * @default period_end
             * @example period_end
             */
            when: ("now" | "period_end") | string;
        };
        /**
         * CatalogueAnswer
         * @description Metrics and plans, by name.
         */
        CatalogueAnswer: {
            /**
             * At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            at: string;
            /** Metrics */
            metrics: components["schemas"]["MetricEntry"][];
            /** Plans */
            plans: components["schemas"]["PlanEntry"][];
        };
        /**
         * Cause
         * @description Why a state changed: by what was measured, or because the alert was changed or deleted.
         * @enum {string}
         */
        Cause: "measured" | "changed" | "deleted";
        /**
         * ChangeRequest
         * @description Another plan, or another version of it.
         * @example {
         *       "plan": "growth",
         *       "when": "period_end"
         *     }
         */
        ChangeRequest: {
            /**
             * Plan
             * @description Its name, for the newest version of it, or with a version: `growth@2`.
             * @example growth
             */
            plan: string;
            /**
             * Plan Version
             * @description Which version of the plan; default: the newest.
             */
            plan_version?: number | null;
            /**
             * When
             * @description `now`, `period_end` (when the billing period ends that is running) or an RFC 3339 instant.
             * @default now
             * @example period_end
             */
            when: ("now" | "period_end") | string;
        };
        /**
         * ChannelAnswer
         * @description A channel, without its secrets.
         */
        ChannelAnswer: {
            /** By Default */
            by_default: boolean;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Failures
             * @description How many messages in a row it did not take.
             */
            failures: number;
            kind: components["schemas"]["ChannelKind"];
            /**
             * Kinds
             * @description Kinds of notification that it hears of, whoever else does: `throttle.changed`, or every kind of `alert`.
             */
            kinds: string[];
            /**
             * Name
             * @example ops-email
             */
            name: string;
            /**
             * Paused Until
             * @description Nothing is sent before this, to let it recover.
             */
            paused_until: string | null;
            /**
             * Shown
             * @description What its URL is shown as: the host alone, because the rest may open a door. null for email.
             * @example https://hooks.slack.com/…
             */
            shown: string | null;
            /**
             * To
             * @description Of email: the addresses.
             */
            to: string[];
            /**
             * Updated At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            updated_at: string;
        };
        /**
         * ChannelKind
         * @description What carries a message.
         * @enum {string}
         */
        ChannelKind: "email" | "slack" | "webhook" | "apprise";
        /**
         * ChannelPatch
         * @description What is to be another of a channel; what is left out stays.
         * @example {
         *       "by_default": true
         *     }
         */
        ChannelPatch: {
            /** By Default */
            by_default?: boolean | null;
            /** Kinds */
            kinds?: string[] | null;
            /** To */
            to?: string[] | null;
            /** Url */
            url?: string | null;
        };
        /**
         * ChannelRequest
         * @description A channel to be made.
         * @example {
         *       "by_default": true,
         *       "kind": "email",
         *       "name": "ops-email",
         *       "to": [
         *         "ops@example.com"
         *       ]
         *     }
         * @example {
         *       "kind": "webhook",
         *       "name": "billing-hook",
         *       "url": "https://example.com/hooks/tallystick"
         *     }
         * @example {
         *       "kind": "webhook",
         *       "kinds": [
         *         "throttle.changed"
         *       ],
         *       "name": "gateway",
         *       "url": "https://gateway.example.com/throttles"
         *     }
         */
        ChannelRequest: {
            /**
             * By Default
             * @description It takes what names no channel and is about a team that prefers none.
             * @default false
             */
            by_default: boolean;
            kind: components["schemas"]["ChannelKind"];
            /**
             * Kinds
             * @description Kinds of notification that it hears of, whoever else does: `throttle.changed`, or every kind of `alert`.
             * @default []
             */
            kinds: string[];
            /**
             * Name
             * @description What alerts and preferences name it by: a-z, 0-9, `.`, `_` and `-`.
             */
            name: string;
            /**
             * To
             * @description Of email: the addresses. None: those in the preferences of the team that it is about.
             * @default []
             */
            to: string[];
            /**
             * Url
             * @description Of every other kind: where messages go. It is never answered again.
             */
            url?: string | null;
        };
        /**
         * CloseAnswer
         * @description What was closed.
         */
        CloseAnswer: {
            /**
             * Adjustments
             * @description How many adjustments they hold.
             */
            adjustments: number;
            /**
             * Corrections
             * @description Statements of adjustments alone.
             */
            corrections: number[];
            /** Failures */
            failures: components["schemas"]["FailureAnswer"][];
            /**
             * Statements
             * @description Statements of periods.
             */
            statements: number[];
        };
        /**
         * CloseRequest
         * @description What to close.
         * @example {
         *       "team_id": "acme"
         *     }
         */
        CloseRequest: {
            /**
             * Team Id
             * @description Default: every team.
             */
            team_id?: string | null;
            /**
             * Until
             * @description Only periods that ended by then. Default: by now. The grace is kept either way.
             */
            until?: string | null;
        };
        /**
         * ClosedLineAnswer
         * @description A line of a closed statement.
         */
        ClosedLineAnswer: {
            /**
             * Adjusts Key
             * @description … and its line.
             */
            adjusts_key: string | null;
            /**
             * Adjusts Period Id
             * @description Of an adjustment: the statement that it corrects …
             */
            adjusts_period_id: number | null;
            /**
             * Amount
             * @description Exact; null where nothing is charged.
             */
            amount: string | null;
            basis: components["schemas"]["Basis"];
            /**
             * Billing Currency
             * @description Of the converted total, and of the statement.
             */
            billing_currency: string;
            /**
             * Cause
             * @description Of an adjustment: why it is.
             */
            cause: {
                [key: string]: unknown;
            } | null;
            /** Converted Total */
            converted_total: string | null;
            /**
             * Currency
             * @description Of amount and total.
             */
            currency: string;
            /** Events */
            events: number;
            /**
             * Exchange Rate
             * @description Null where nothing was converted.
             */
            exchange_rate: string | null;
            /**
             * Id
             * @description By which it is explained.
             */
            id: number;
            /**
             * Interval End
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            interval_end: string;
            /**
             * Interval Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            interval_start: string;
            /**
             * Key
             * @example usage:api_calls@2026-03-01T00:00:00Z
             */
            key: string;
            kind: components["schemas"]["LineKind"];
            /** Metric */
            metric: string | null;
            /**
             * Name
             * @example api_calls
             */
            name: string;
            /** Position */
            position: number;
            /** Price Id */
            price_id: number | null;
            /**
             * Quantity
             * Format: decimal
             * @example 0.0008
             */
            quantity: string;
            /** Rate Date */
            rate_date: string | null;
            /** Rate Source */
            rate_source: string | null;
            /**
             * Reason
             * @description Why nothing is charged.
             */
            reason: string | null;
            /**
             * Steps
             * @description How the amount was made; their amounts add up to it.
             */
            steps: {
                [key: string]: unknown;
            }[];
            /**
             * Total
             * @description The amount, rounded once.
             */
            total: string | null;
            /**
             * Unit
             * @example call
             */
            unit: string;
            /** Unvalued */
            unvalued: number;
        };
        /**
         * ClosedStatementAnswer
         * @description A closed statement: what it was made of, and its lines.
         */
        ClosedStatementAnswer: {
            /** Closed At */
            closed_at: string | null;
            /**
             * Credits
             * Format: decimal
             * @description What prepaid credit paid.
             * @example 130.00
             */
            credits: string;
            /**
             * Currency
             * @description What the team is billed in.
             * @example USD
             */
            currency: string;
            /**
             * Digest
             * @description SHA-256 over what it was made of and its lines; null while it is open.
             */
            digest: string | null;
            /**
             * End
             * Format: date-time
             * @description … and before this.
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /** Id */
            id: number;
            /**
             * Inputs
             * @description Subscription, terms and prices with their parameters.
             */
            inputs: {
                [key: string]: unknown;
            };
            /** @description `correction`: adjustments alone, of a period that was closed before. */
            kind: components["schemas"]["StatementKind"];
            /**
             * Known At
             * @description What was recorded up to here is in it; null while it is open.
             */
            known_at: string | null;
            /** Lines */
            lines: components["schemas"]["ClosedLineAnswer"][];
            /**
             * Start
             * Format: date-time
             * @description The period from here on …
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            status: components["schemas"]["tallystick__billing__statements__models__Status"];
            /** Subscription Id */
            subscription_id: number;
            /**
             * Subtotal
             * @description The sum of the lines; null while it is open.
             */
            subtotal: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Total
             * Format: decimal
             * @description What is due; of an open one, when it was computed last.
             * @example 130.00
             */
            total: string;
            /** Void Reason */
            void_reason: string | null;
            /** Voided At */
            voided_at: string | null;
            /** Voided By */
            voided_by: string | null;
        };
        /**
         * Column
         * @description What of an event can be in the file, in the order of the file.
         * @enum {string}
         */
        Column: "occurred_at" | "team_id" | "event_name" | "event_type" | "user_id" | "quantity" | "unit" | "metadata" | "idempotency_key" | "recorded_at" | "correction" | "amends" | "replacement_id" | "id";
        /**
         * CorrectionAnswer
         * @description That an event no longer counts, since when, and what stands in its place.
         */
        CorrectionAnswer: {
            /**
             * Actor
             * @description The key that did it.
             * @example key:7Q2M4KX0TB
             */
            actor: string;
            /** Event Id */
            event_id: string;
            /**
             * Kind
             * @example amend
             */
            kind: string;
            /** Reason */
            reason: string;
            /**
             * Recorded At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            recorded_at: string;
            replacement?: components["schemas"]["EventAnswer"] | null;
            /** Replacement Id */
            replacement_id: string | null;
        };
        /**
         * CostAnswer
         * @description What the usage of the current period costs so far.
         */
        CostAnswer: {
            /**
             * Amount
             * Format: decimal
             * @description Exact.
             * @example 130
             */
            amount: string;
            /**
             * Lines
             * @description One; several where the price changed inside the period.
             */
            lines: components["schemas"]["LineAnswer"][];
            /**
             * Total
             * Format: decimal
             * @description The sum of the lines' totals, each rounded once to the currency.
             * @example 130.00
             */
            total: string;
        };
        /**
         * CountedAnswer
         * @description That a metric counts the event, and as what.
         */
        CountedAnswer: {
            /**
             * Dimensions
             * @example {
             *       "region": "eu"
             *     }
             */
            dimensions: {
                [key: string]: string | null;
            };
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /** @description Null: not rolled up yet; usage reads the event itself. */
            rollup: components["schemas"]["BucketAnswer"] | null;
            /**
             * Value
             * @description What it is worth to the metric; null: no value was found.
             * @example 1
             */
            value: string | null;
        };
        /**
         * CoverageAnswer
         * @description Which days a source has rates of a pair for.
         */
        CoverageAnswer: {
            /** Base */
            base: string;
            /**
             * Days
             * @description How many days have a rate.
             */
            days: number;
            /**
             * First
             * Format: date
             */
            first: string;
            /**
             * Last
             * Format: date
             */
            last: string;
            /** Quote */
            quote: string;
            /**
             * Source
             * @example ecb
             */
            source: string;
        };
        /**
         * CreditBurnAnswer
         * @description What one grant of credits pays of one line.
         */
        CreditBurnAnswer: {
            /**
             * Amount
             * Format: decimal
             * @description The money that it pays.
             * @example 50.00
             */
            amount: string;
            /**
             * Currency
             * @description Of the bill.
             * @example USD
             */
            currency: string;
            /**
             * Grant Id
             * @example 17
             */
            grant_id: number;
            kind: components["schemas"]["GrantKind"];
            /**
             * Line
             * @description The key of the line that is paid.
             * @example usage:api_calls@2026-03-01T00:00:00Z
             */
            line: string;
            /**
             * Name
             * @description The grant's.
             * @example Welcome credits
             */
            name: string;
            /**
             * Quantity
             * @description In the metric's unit; null: the grant is of money.
             */
            quantity: string | null;
        };
        /**
         * CreditLine
         * @description How much of a line is given back.
         */
        CreditLine: {
            /**
             * Amount
             * @description Before tax, in the document's currency, above zero.
             * @example 10.00
             */
            amount: string;
            /**
             * Key
             * @description The line's, as the document has it.
             */
            key: string;
        };
        /**
         * CreditNoteRequest
         * @description What a credit note gives back.
         */
        CreditNoteRequest: {
            /** Lines */
            lines: components["schemas"]["CreditLine"][];
            /**
             * Reason
             * @description Stands on the credit note.
             * @example Outage on 12 March
             */
            reason: string;
            /**
             * Request Key
             * @description Your own name for this request: sent again with the same one it is made only once.
             */
            request_key?: string | null;
        };
        /**
         * CurrentPeriodAnswer
         * @description The billing period that is running; without a subscription the calendar month.
         */
        CurrentPeriodAnswer: {
            /**
             * Currency
             * @example USD
             */
            currency: string | null;
            /**
             * Elapsed
             * Format: decimal
             * @description How much of it has passed, from 0 to 1.
             * @example 0.467741
             */
            elapsed: string;
            /**
             * End
             * Format: date-time
             * @description Exclusive.
             * @example 2026-03-08T00:00:00-05:00
             */
            end: string;
            /**
             * Projected Total
             * @description What they come to at the run rate.
             */
            projected_total: string | null;
            /**
             * Start
             * Format: date-time
             * @example 2026-03-08T00:00:00-05:00
             */
            start: string;
            /**
             * Total
             * @description What the metrics shown here cost so far.
             */
            total: string | null;
        };
        /**
         * CurrentUsageAnswer
         * @description The current period of one metric, so far.
         */
        CurrentUsageAnswer: {
            cost: components["schemas"]["CostAnswer"] | null;
            /** Events */
            events: number;
            /** @description Null before any of the period has passed. */
            projection: components["schemas"]["ProjectionAnswer"] | null;
            /**
             * Reason
             * @description Why there is no cost; null where there is one.
             */
            reason: string | null;
            /**
             * Unvalued
             * @description Events that matched but whose value could not be read.
             */
            unvalued: number;
            /**
             * Usage
             * @description Null where nothing has a value: an average of no events.
             * @example 150000
             */
            usage: string | null;
        };
        /**
         * DailyAnswer
         * @description The rate that answers for one day.
         */
        DailyAnswer: {
            /**
             * Day
             * Format: date
             */
            day: string;
            /**
             * Rate
             * @description What one `base` is worth in `quote`; null: no rate is recent enough.
             */
            rate: string | null;
            /**
             * Rate Date
             * @description When it was published: the day, or up to 7 days before.
             */
            rate_date: string | null;
            /**
             * Source
             * @description `ecb`, or an uploaded table's name.
             * @example ecb
             */
            source: string | null;
        };
        /**
         * DeadLetterAnswer
         * @description A rejected event, as it was sent, why, and what became of it.
         */
        DeadLetterAnswer: {
            /**
             * Attempt Code
             * @description Why the latest replay was rejected.
             */
            attempt_code: string | null;
            /** Attempt Message */
            attempt_message: string | null;
            /** Attempted At */
            attempted_at: string | null;
            /**
             * Attempts
             * @description How often a replay of it was rejected again.
             */
            attempts: number;
            /**
             * Body
             * @description As it was sent; bytes that are no UTF-8 are shown as \x…. A listing has the first 20,000 bytes.
             */
            body: string;
            /**
             * Code
             * @example unknown_team
             */
            code: string;
            /** Discard Reason */
            discard_reason: string | null;
            /** Discarded At */
            discarded_at: string | null;
            /** Discarded By */
            discarded_by: string | null;
            /**
             * Edited
             * @description The event as it was edited last, which is what a replay sends.
             */
            edited: string | null;
            /**
             * Edits
             * @description How often it was edited.
             */
            edits: number;
            /** Field */
            field: string | null;
            /**
             * Format
             * @description How the body is read: `event`, unless it came by another door.
             * @example event
             */
            format: string;
            /** Id */
            id: number;
            /** Idempotency Key */
            idempotency_key: string | null;
            /** @description The class of the reason. */
            kind: components["schemas"]["tallystick__metering__dead_letters__models__Kind"];
            /**
             * Last Seen At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            last_seen_at: string;
            /** Message */
            message: string;
            /**
             * Occurred At
             * Format: date-time
             * @description When the event says that it happened, else when it first came.
             * @example 2026-03-15T12:00:00Z
             */
            occurred_at: string;
            /**
             * Received At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            received_at: string;
            /**
             * Remedy
             * @description What helps.
             */
            remedy: string;
            /**
             * Replayed As
             * @description The event's id.
             */
            replayed_as: string | null;
            /** Replayed At */
            replayed_at: string | null;
            /**
             * Replayed By
             * @example key:7Q2M4KX0TB
             */
            replayed_by: string | null;
            /**
             * Seen
             * @description How often it came.
             */
            seen: number;
            /**
             * Size
             * @description Bytes of the whole body.
             */
            size: number;
            /** @description `waiting`, `replayed` (its event is stored) or `discarded`. */
            state: components["schemas"]["tallystick__metering__dead_letters__models__State"];
            /** Team Id */
            team_id: string | null;
        };
        /**
         * DeadLetterPage
         * @description Dead letters, and how many wait to be repaired.
         */
        DeadLetterPage: {
            /** Data */
            data: components["schemas"]["DeadLetterAnswer"][];
            /**
             * Kinds
             * @description By class of reason.
             * @example {
             *       "catalogue": 2,
             *       "malformed": 1
             *     }
             */
            kinds: {
                [key: string]: number;
            };
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
            /**
             * Waiting
             * @description By reason.
             * @example {
             *       "invalid_quantity": 1,
             *       "unknown_team": 2
             *     }
             */
            waiting: {
                [key: string]: number;
            };
        };
        /**
         * DeliveryAnswer
         * @description A notification on its way to one channel and, of email, one recipient.
         */
        DeliveryAnswer: {
            /** Attempts */
            attempts: number;
            /** Channel */
            channel: string;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Due At
             * Format: date-time
             * @description When it is sent, or tried again.
             * @example 2026-03-15T12:00:00Z
             */
            due_at: string;
            /** Id */
            id: number;
            /** Last Error */
            last_error: string | null;
            /**
             * Message Id
             * @description The same in every attempt: `webhook-id`, and in the `Message-ID` of email.
             */
            message_id: string;
            notification: components["schemas"]["NotificationAnswer"];
            /** Replays */
            replays: number;
            /** Sent At */
            sent_at: string | null;
            /** @description `pending`: is sent when due. `held`: waits for a digest. `sent`. `parked`: given up; can be replayed. `merged`: was told in a digest. */
            state: components["schemas"]["tallystick__notifications__models__State"];
            /**
             * Target
             * @description Of email: the address.
             */
            target: string | null;
            /**
             * Uncertain
             * @description An attempt ended without an answer: it may have arrived.
             */
            uncertain: boolean;
        };
        /**
         * DifferenceAnswer
         * @description A line that comes out different when it is made anew; null: there is no such line.
         */
        DifferenceAnswer: {
            /** Key */
            key: string;
            /** Recomputed */
            recomputed: {
                [key: string]: unknown;
            } | null;
            /** Stored */
            stored: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * Digest
         * @description How often what is not urgent is told, all at once.
         * @enum {string}
         */
        Digest: "off" | "daily" | "weekly";
        /**
         * DiscardAnswer
         * @description How many letters were given up.
         */
        DiscardAnswer: {
            /** Discarded */
            discarded: number;
        };
        /**
         * DiscardManyRequest
         * @description Which letters are given up, and why.
         * @example {
         *       "code": "conflict",
         *       "reason": "the first ones are right"
         *     }
         */
        DiscardManyRequest: {
            /**
             * All
             * @description Every letter that waits.
             * @default false
             */
            all: boolean;
            /**
             * Code
             * @description Rejected for this reason.
             * @example unknown_team
             */
            code?: string | null;
            /** @description Rejected for a reason of this class. */
            kind?: components["schemas"]["tallystick__metering__dead_letters__models__Kind"] | null;
            /** Reason */
            reason: string;
            /** Team Id */
            team_id?: string | null;
        };
        /**
         * DiscardRequest
         * @description Why a letter is given up.
         * @example {
         *       "reason": "sent by a test run"
         *     }
         */
        DiscardRequest: {
            /** Reason */
            reason: string;
        };
        /**
         * DraftRequest
         * @description Which statement is to be billed.
         * @example {
         *       "statement_id": 17
         *     }
         */
        DraftRequest: {
            /**
             * Statement Id
             * @description A closed statement.
             */
            statement_id: number;
        };
        /**
         * DriftAnswer
         * @description A metric of a team of which Stripe counts something else.
         */
        DriftAnswer: {
            /**
             * Compared At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            compared_at: string;
            /**
             * Drift
             * @example missing
             */
            drift: string;
            /**
             * Local
             * Format: decimal
             * @example 0.0008
             */
            local: string;
            /** Metric */
            metric: string;
            /**
             * Stripe
             * Format: decimal
             * @example 0.0008
             */
            stripe: string;
            /** Team Id */
            team_id: string;
        };
        /**
         * EditAnswer
         * @description One repair of a letter.
         */
        EditAnswer: {
            /**
             * Edited At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            edited_at: string;
            /**
             * Edited By
             * @example key:7Q2M4KX0TB
             */
            edited_by: string;
            /**
             * Event
             * @description The event as it should have been sent.
             */
            event: string;
            /** Number */
            number: number;
            /** Reason */
            reason: string | null;
        };
        /**
         * EditRequest
         * @description A repair that has to say something.
         * @example {
         *       "changes": {
         *         "team_id": "acme"
         *       },
         *       "reason": "a typing error"
         *     }
         */
        EditRequest: {
            /**
             * Changes
             * @description Members to put into the event; null takes one out. Metadata is replaced as a whole.
             */
            changes?: {
                [key: string]: unknown;
            } | null;
            /**
             * Event
             * @description The whole event, as it should have been sent.
             */
            event?: {
                [key: string]: unknown;
            } | null;
            /**
             * Reason
             * @description For the record.
             */
            reason?: string | null;
        };
        /**
         * EntryAnswer
         * @description A movement on one account of a grant.
         */
        EntryAnswer: {
            account: components["schemas"]["Account"];
            /**
             * Allotment
             * @description Which time the grant was given, from 0.
             */
            allotment: number;
            /**
             * Amount
             * Format: decimal
             * @description Of the grant's currency or in its metric's unit.
             * @example -40
             */
            amount: string;
            /**
             * Currency
             * @example USD
             */
            currency: string | null;
            /**
             * Grant Id
             * @example 17
             */
            grant_id: number;
            /**
             * Line Key
             * @description The line that was paid.
             * @example usage:api_calls@2026-03-01T00:00:00Z
             */
            line_key: string | null;
            /**
             * Value
             * @description The money that it paid.
             * @example 40
             */
            value: string | null;
        };
        /**
         * EventAnswer
         * @description A usage event as it was recorded, and what became of it.
         * @example {
         *       "event_name": "api_call",
         *       "id": "ea82408f-7bb5-1ab9-982e-b1de0cbf264a",
         *       "idempotency_key": "req_7Q2M4KX0TB",
         *       "metadata": {
         *         "endpoint": "/v1/search",
         *         "region": "eu"
         *       },
         *       "occurred_at": "2026-03-15T12:00:00Z",
         *       "quantity": "1",
         *       "recorded_at": "2026-03-15T12:00:00.241773Z",
         *       "team_id": "acme",
         *       "unit": "call"
         *     }
         */
        EventAnswer: {
            /**
             * Amends
             * @description The original event in whose place this one stands.
             */
            amends: string | null;
            /**
             * Correction
             * @description `void` or `amend` where it no longer counts, else null.
             */
            correction: string | null;
            /** Event Name */
            event_name: string;
            /** Event Type */
            event_type: string | null;
            /**
             * Id
             * @description The event's identity: the same for the same team and idempotency key.
             */
            id: string;
            /** Idempotency Key */
            idempotency_key: string;
            /** Metadata */
            metadata: {
                [key: string]: unknown;
            } | null;
            /**
             * Occurred At
             * Format: date-time
             * @description When it happened; decides the billing period.
             * @example 2026-03-15T12:00:00Z
             */
            occurred_at: string;
            /**
             * Quantity
             * Format: decimal
             * @example 0.0008
             */
            quantity: string;
            /**
             * Recorded At
             * Format: date-time
             * @description When it was stored.
             * @example 2026-03-15T12:00:00Z
             */
            recorded_at: string;
            /**
             * Replacement Id
             * @description The event that stands in its place, if it was amended.
             */
            replacement_id: string | null;
            /** Team Id */
            team_id: string;
            /** Unit */
            unit: string | null;
            /** User Id */
            user_id: string | null;
        };
        /**
         * EventPageAnswer
         * @description A page of the event log.
         */
        EventPageAnswer: {
            /** Data */
            data: components["schemas"]["EventAnswer"][];
            /**
             * Looked To
             * @description Looking for what has no index ended at this instant, by the clock of the sort; the next page goes on there. Null: the page is full, or the last one.
             */
            looked_to?: string | null;
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /**
         * ExplainedEvent
         * @description An event behind a line.
         */
        ExplainedEvent: {
            /**
             * Cause
             * @description Of an adjustment: `late`, `amended` or `voided`.
             */
            cause?: string | null;
            /**
             * Counts
             * @description Of an adjustment: whether it counts now, or no longer.
             * @default true
             */
            counts: boolean;
            /**
             * Event Name
             * @description Of an adjustment left empty.
             * @default
             */
            event_name: string;
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Occurred At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            occurred_at: string;
            /**
             * Recorded At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            recorded_at: string;
            /**
             * Value
             * @description What it is worth to the metric; null: it has no value that can be read.
             */
            value: string | null;
        };
        /**
         * ExplainedEvents
         * @description A page of the events behind a line.
         */
        ExplainedEvents: {
            /** Data */
            data: components["schemas"]["ExplainedEvent"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /**
         * ExplainedUsage
         * @description What was used in one window with one set of dimension values.
         */
        ExplainedUsage: {
            /**
             * Dimensions
             * @example {
             *       "region": "eu"
             *     }
             */
            dimensions: {
                [key: string]: string | null;
            };
            /**
             * End
             * Format: date-time
             * @description Exclusive.
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /** Events */
            events: number;
            /** Quantity */
            quantity: string | null;
            /**
             * Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            /** Unvalued */
            unvalued: number;
        };
        /**
         * ExplanationAnswer
         * @description How a line came about. Its events are at `…/events`.
         */
        ExplanationAnswer: {
            /**
             * Adds Up
             * @description Whether usage of this metric can be added up.
             */
            adds_up: boolean;
            /**
             * Adjustments
             * @description What was booked about the line later.
             */
            adjustments: components["schemas"]["ClosedLineAnswer"][];
            /**
             * Booked
             * Format: decimal
             * @description The line's total and its adjustments', in the currency of the bill.
             * @example 130.00
             */
            booked: string;
            line: components["schemas"]["ClosedLineAnswer"];
            /**
             * Price
             * @description The price version with its parameters, as it was.
             */
            price: {
                [key: string]: unknown;
            } | null;
            statement: components["schemas"]["PeriodAnswer"];
            /**
             * Usage
             * @description By local day and dimension values, as known when it was closed.
             */
            usage: components["schemas"]["ExplainedUsage"][];
            /**
             * Usage Total
             * Format: decimal
             * @description The sum of the usage; the line's quantity, where usage adds up.
             * @example 0.0008
             */
            usage_total: string;
        };
        /**
         * FailureAnswer
         * @description A period that could not be closed; it stays open and is tried again.
         */
        FailureAnswer: {
            /**
             * End
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /** Message */
            message: string;
            /**
             * Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            /** Team Id */
            team_id: string;
        };
        /**
         * GrantAnswer
         * @description Credits of a team, and what is left of them.
         */
        GrantAnswer: {
            /**
             * Amount
             * Format: decimal
             * @description Of the currency or in the metric's unit.
             * @example 100
             */
            amount: string;
            balance: components["schemas"]["BalanceAnswer"];
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Currency
             * @description Null: credits of usage.
             * @example USD
             */
            currency: string | null;
            /**
             * Effective At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            effective_at: string;
            /**
             * Expires At
             * @description Exclusive; null: never.
             */
            expires_at: string | null;
            /**
             * Id
             * @example 17
             */
            id: number;
            kind: components["schemas"]["GrantKind"];
            /**
             * Lapses At
             * @description When what is available expires or is given anew; null: never.
             */
            lapses_at: string | null;
            /**
             * Metric
             * @description Null: credits of money.
             */
            metric: string | null;
            /**
             * Metrics
             * @description The metrics whose charges it may pay; none: every charge.
             */
            metrics: string[];
            /**
             * Name
             * @example Welcome credits
             */
            name: string;
            /**
             * Priority
             * @description The lower burns first.
             * @example 100
             */
            priority: number;
            /** @description Null: it is given once. */
            recurrence: components["schemas"]["RecurrenceAnswer"] | null;
            /**
             * Reference
             * @description The giver's own key.
             * @example order-4711
             */
            reference: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /** Void Reason */
            void_reason: string | null;
            /** Voided At */
            voided_at: string | null;
        };
        /**
         * GrantKind
         * @description Whether credits were given or bought. Of two that are otherwise alike the given ones burn first.
         * @enum {string}
         */
        GrantKind: "promotional" | "paid";
        /**
         * GrantRequest
         * @description Credits to be granted: of money with `currency`, or of usage with `metric`.
         * @example {
         *       "amount": "100.00",
         *       "currency": "USD",
         *       "expires_at": "2027-01-01T00:00:00Z",
         *       "kind": "promotional",
         *       "reference": "welcome",
         *       "team_id": "acme"
         *     }
         * @example {
         *       "amount": "1000000",
         *       "metric": "api_calls",
         *       "name": "Included calls",
         *       "recurrence": {
         *         "period": "month",
         *         "rollover": "50%"
         *       },
         *       "team_id": "acme"
         *     }
         */
        GrantRequest: {
            /**
             * Amount
             * @description An exact decimal number, above zero. Of a recurring grant, each time.
             */
            amount: string;
            /**
             * Currency
             * @description It pays charges in this currency alone.
             */
            currency?: string | null;
            /**
             * Effective At
             * @description Default: now. May lie in the past.
             */
            effective_at?: string | null;
            /**
             * Expires At
             * @description Exclusive; default: never.
             */
            expires_at?: string | null;
            /**
             * @description Promotional credits burn before paid ones.
             * @default paid
             */
            kind: components["schemas"]["GrantKind"];
            /**
             * Metric
             * @description It pays usage of this metric alone, in its unit.
             */
            metric?: string | null;
            /**
             * Metrics
             * @description The metrics whose charges credits of money may pay; default: every charge, fees too.
             * @default []
             */
            metrics: string[];
            /**
             * Name
             * @description What people call it.
             */
            name?: string | null;
            /**
             * Priority
             * @description The lower burns first.
             * @default 100
             */
            priority: number;
            /** @description Default: it is given once. */
            recurrence?: components["schemas"]["RecurrenceRequest"] | null;
            /**
             * Reference
             * @description A key of your own, unique in the team. Sent again, it grants nothing more.
             */
            reference?: string | null;
            /** Team Id */
            team_id: string;
        };
        /**
         * Health
         * @description That all is well.
         */
        Health: {
            /**
             * Status
             * @example ok
             */
            status: string;
        };
        /**
         * HistoryAnswer
         * @description What the series of the metrics are about.
         */
        HistoryAnswer: {
            /**
             * End
             * Format: date-time
             * @description Exclusive.
             * @example 2026-03-08T00:00:00-05:00
             */
            end: string;
            /** Group By */
            group_by: string[];
            /**
             * Start
             * Format: date-time
             * @example 2026-03-08T00:00:00-05:00
             */
            start: string;
            window: components["schemas"]["Window"];
        };
        /**
         * HypotheticalUsage
         * @description Usage that was made up.
         */
        HypotheticalUsage: {
            /**
             * At
             * @description When; default: at the period's start.
             */
            at?: string | null;
            /**
             * Dimensions
             * @default {}
             * @example {
             *       "region": "eu"
             *     }
             */
            dimensions: {
                [key: string]: string;
            };
            /**
             * Events
             * @description How many events made it.
             * @default 1
             */
            events: number;
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /**
             * Quantity
             * @description Exact decimal text.
             * @example 150000
             */
            quantity: string;
        };
        /**
         * IngestAnswer
         * @description How events come in.
         */
        IngestAnswer: {
            /** Dead Letter Reasons */
            dead_letter_reasons: components["schemas"]["ReasonAnswer"][];
            /**
             * Dead Letters
             * @description Rejected events that wait to be repaired; at most 100,000 are counted.
             */
            dead_letters: number;
            /** Events Last Hour */
            events_last_hour: number;
            /**
             * Lag Seconds
             * Format: decimal
             * @description Since when the oldest of them waits.
             * @example 0.4
             */
            lag_seconds: string;
            /**
             * Per Minute
             * @description The last 60 minutes, oldest first.
             */
            per_minute: components["schemas"]["MinuteAnswer"][];
            /**
             * Waiting Events
             * @description That no roll-up has taken yet; usage counts them all the same.
             */
            waiting_events: number;
        };
        /**
         * InvoiceAnswer
         * @description A document, and everything that it says.
         */
        InvoiceAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Credits
             * Format: decimal
             * @description What prepaid credit pays.
             * @example 130.00
             */
            credits: string;
            /**
             * Credits Invoice Id
             * @description Of a credit note made from an invoice, that invoice.
             */
            credits_invoice_id: number | null;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Digest
             * @description SHA-256 over the document, once it is final.
             */
            digest: string | null;
            /**
             * Document
             * @description Everything that the document says: issuer, recipient, lines with their steps, exchange rates and adjustments, credits, taxes and totals. Numbers are exact decimal text. From final on it never changes.
             */
            document: {
                [key: string]: unknown;
            };
            /**
             * Due
             * Format: decimal
             * @description subtotal − credits + tax; negative on a credit note.
             * @example 130.00
             */
            due: string;
            /** Due On */
            due_on: string | null;
            /** Finalized At */
            finalized_at: string | null;
            /**
             * Id
             * @example 42
             */
            id: number;
            /** Issued On */
            issued_on: string | null;
            kind: components["schemas"]["tallystick__billing__invoices__models__Kind"];
            /**
             * Number
             * @description Null in a draft.
             * @example INV-00042
             */
            number: string | null;
            /** Paid At */
            paid_at: string | null;
            /**
             * Statement Id
             * @description The closed statement that it bills or gives back.
             * @example 17
             */
            statement_id: number;
            status: components["schemas"]["tallystick__billing__invoices__models__Status"];
            /**
             * Subtotal
             * Format: decimal
             * @description The sum of the lines.
             * @example 130.00
             */
            subtotal: string;
            /**
             * Tax
             * Format: decimal
             * @example 130.00
             */
            tax: string;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /** Voided At */
            voided_at: string | null;
        };
        /**
         * InvoiceSummary
         * @description A document in a listing.
         */
        InvoiceSummary: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Credits
             * Format: decimal
             * @description What prepaid credit pays.
             * @example 130.00
             */
            credits: string;
            /**
             * Credits Invoice Id
             * @description Of a credit note made from an invoice, that invoice.
             */
            credits_invoice_id: number | null;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Digest
             * @description SHA-256 over the document, once it is final.
             */
            digest: string | null;
            /**
             * Due
             * Format: decimal
             * @description subtotal − credits + tax; negative on a credit note.
             * @example 130.00
             */
            due: string;
            /** Due On */
            due_on: string | null;
            /** Finalized At */
            finalized_at: string | null;
            /**
             * Id
             * @example 42
             */
            id: number;
            /** Issued On */
            issued_on: string | null;
            kind: components["schemas"]["tallystick__billing__invoices__models__Kind"];
            /**
             * Number
             * @description Null in a draft.
             * @example INV-00042
             */
            number: string | null;
            /** Paid At */
            paid_at: string | null;
            /**
             * Statement Id
             * @description The closed statement that it bills or gives back.
             * @example 17
             */
            statement_id: number;
            status: components["schemas"]["tallystick__billing__invoices__models__Status"];
            /**
             * Subtotal
             * Format: decimal
             * @description The sum of the lines.
             * @example 130.00
             */
            subtotal: string;
            /**
             * Tax
             * Format: decimal
             * @example 130.00
             */
            tax: string;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /** Voided At */
            voided_at: string | null;
        };
        /**
         * KeyAnswer
         * @description A key, without its secret.
         */
        KeyAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Id
             * @example 7Q2M4KX0TB
             */
            id: string;
            /**
             * Name
             * @example gateway
             */
            name: string;
            /**
             * Revoked At
             * @description Since when it is refused; null: it is in use.
             */
            revoked_at: string | null;
            /**
             * Scopes
             * @example [
             *       "ingest"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @description The only team it may touch; null: every team.
             */
            team_id: string | null;
        };
        /**
         * KeyRequest
         * @description A key to be made.
         * @example {
         *       "name": "gateway",
         *       "scopes": [
         *         "ingest"
         *       ]
         *     }
         */
        KeyRequest: {
            /**
             * Name
             * @description What the key is for.
             */
            name: string;
            /**
             * Scopes
             * @description What it may be used for; `admin` implies the others.
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @description The only team it may touch. Not with the scope `admin`.
             */
            team_id?: string | null;
        };
        /**
         * LimitAnswer
         * @description A limit.
         */
        LimitAnswer: {
            /**
             * Actor
             * @description Who set it last.
             */
            actor: string;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Id
             * @example 3
             */
            id: number;
            /**
             * Limit
             * @description Per billing period; null: none, in spite of the plan's.
             */
            limit: string | null;
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /**
             * Plan
             * @description Each team on this plan; with a version (`growth@2`) on that alone.
             */
            plan: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string | null;
            /** @example hard */
            type: components["schemas"]["LimitType"];
            /**
             * Updated At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            updated_at: string;
        };
        /**
         * LimitRequest
         * @description A limit to be set.
         * @example {
         *       "limit": "1000",
         *       "metric": "api_calls",
         *       "team_id": "acme",
         *       "type": "hard"
         *     }
         * @example {
         *       "limit": "100000",
         *       "metric": "api_calls",
         *       "plan": "standard",
         *       "type": "soft"
         *     }
         */
        LimitRequest: {
            /**
             * Limit
             * @description Per billing period, in the metric's unit, an exact decimal number, itself allowed. Null, of a team: no limit, in spite of the plan's.
             */
            limit: string | null;
            /** Metric */
            metric: string;
            /**
             * Plan
             * @description Of each team on this plan that has no limit of its own; a version (`growth@2`) means it alone.
             */
            plan?: string | null;
            /**
             * Team Id
             * @description Whose; or `plan`.
             */
            team_id?: string | null;
            /**
             * @description `hard` refuses what goes beyond, `soft` says so.
             * @default hard
             */
            type: components["schemas"]["LimitType"];
        };
        /**
         * LimitType
         * @description What becomes of usage beyond a limit: `soft` lets it pass and says so, `hard` refuses it.
         * @enum {string}
         */
        LimitType: "soft" | "hard";
        /**
         * LineAnswer
         * @description One line of a statement, or of a report.
         */
        LineAnswer: {
            /** @description Of an adjustment, what it corrects. */
            adjusts: components["schemas"]["AdjustsAnswer"] | null;
            /**
             * Amount
             * @description Exact; null without a price.
             * @example 130
             */
            amount: string | null;
            /** @description `interval`: usage while the price was in force. `period_end`: usage of the whole period at the price in force at its end, since this usage can't be split at a change of price. */
            basis: components["schemas"]["Basis"];
            /** @description Null where the price is in the billing currency. */
            conversion: components["schemas"]["tallystick__billing__answers__ConversionAnswer"] | null;
            /**
             * End
             * Format: date-time
             * @description … and before this is charged.
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /** Events */
            events: number;
            /**
             * Key
             * @description What the line is about; once in its statement.
             * @example usage:api_calls@2026-03-01T00:00:00Z
             */
            key: string;
            kind: components["schemas"]["LineKind"];
            /**
             * Metric
             * @description Null: not usage.
             * @example api_calls
             */
            metric: string | null;
            /**
             * Name
             * @description The price's name.
             * @example api_calls
             */
            name: string;
            /** @description Null: nothing is charged for this usage. */
            price: components["schemas"]["PriceAnswer"] | null;
            /**
             * Quantity
             * Format: decimal
             * @description The usage as it is rated.
             * @example 150000
             */
            quantity: string;
            /**
             * Reason
             * @description Why nothing is charged; null where something is.
             * @example trial
             */
            reason: string | null;
            /**
             * Start
             * Format: date-time
             * @description The usage from here on …
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            /** Steps */
            steps: components["schemas"]["tallystick__billing__answers__StepAnswer"][];
            /**
             * Total
             * @description The amount, rounded once, half away from zero, to the currency; null without a price.
             */
            total: string | null;
            /**
             * Unit
             * @example call
             */
            unit: string;
            /**
             * Unvalued
             * @description Events that matched but whose value could not be read.
             */
            unvalued: number;
        };
        /**
         * LineKind
         * @description What a line of a statement is for.
         *
         *     `usage`: of a metric, at a price. `fee`: for the period, whatever is used. `discount`: an amount off the
         *     lines before it. `commitment`: what a minimum or a commitment of the whole plan adds. `adjustment`: what a
         *     line of an earlier, closed statement should have said, minus what was booked for it.
         * @enum {string}
         */
        LineKind: "usage" | "fee" | "discount" | "commitment" | "adjustment";
        /**
         * MetricAnswer
         * @description One metric: its current period, and its history.
         */
        MetricAnswer: {
            /**
             * Aggregation
             * @example count
             */
            aggregation: string;
            current_period: components["schemas"]["CurrentUsageAnswer"];
            /** History */
            history: components["schemas"]["SeriesAnswer"][];
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /**
             * Unit
             * @example call
             */
            unit: string;
        };
        /**
         * MetricEntry
         * @description A metric with its history.
         */
        MetricEntry: {
            /**
             * Aggregation
             * @example count
             */
            aggregation: string;
            /**
             * Dimensions
             * @description Of the version in force.
             * @example [
             *       "region"
             *     ]
             */
            dimensions: string[];
            /**
             * Name
             * @example api_calls
             */
            name: string;
            /**
             * Unit
             * @example call
             */
            unit: string;
            /**
             * Versions
             * @description The oldest first.
             */
            versions: components["schemas"]["VersionAnswer"][];
        };
        /**
         * MinuteAnswer
         * @description Events that were recorded in a minute.
         */
        MinuteAnswer: {
            /**
             * At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            at: string;
            /** Events */
            events: number;
        };
        /**
         * Mode
         * @description How somebody came in.
         * @enum {string}
         */
        Mode: "dev" | "key" | "portal";
        /**
         * MomentAnswer
         * @description Something that happened to the event.
         */
        MomentAnswer: {
            /**
             * At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            at: string;
            /**
             * What
             * @example rolled up
             */
            what: string;
        };
        /**
         * NewChannelAnswer
         * @description A channel that was just made.
         */
        NewChannelAnswer: {
            /** By Default */
            by_default: boolean;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Failures
             * @description How many messages in a row it did not take.
             */
            failures: number;
            kind: components["schemas"]["ChannelKind"];
            /**
             * Kinds
             * @description Kinds of notification that it hears of, whoever else does: `throttle.changed`, or every kind of `alert`.
             */
            kinds: string[];
            /**
             * Name
             * @example ops-email
             */
            name: string;
            /**
             * Paused Until
             * @description Nothing is sent before this, to let it recover.
             */
            paused_until: string | null;
            /**
             * Shown
             * @description What its URL is shown as: the host alone, because the rest may open a door. null for email.
             * @example https://hooks.slack.com/…
             */
            shown: string | null;
            /**
             * Signing Secret
             * @description Of a webhook: what its receiver checks signatures with. It is shown this once.
             * @example whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
             */
            signing_secret?: string | null;
            /**
             * To
             * @description Of email: the addresses.
             */
            to: string[];
            /**
             * Updated At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            updated_at: string;
        };
        /**
         * NewKeyAnswer
         * @description A key that was just made, with its secret.
         */
        NewKeyAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Id
             * @example 7Q2M4KX0TB
             */
            id: string;
            /**
             * Key
             * @description What a client sends. It is shown this once: only a hash of it is kept.
             * @default
             * @example tsk_7Q2M4KX0TB_9V3NXE6J0H2W5YTAKR8QZ4M1CDGBPFS7
             */
            key: string;
            /**
             * Name
             * @example gateway
             */
            name: string;
            /**
             * Revoked At
             * @description Since when it is refused; null: it is in use.
             */
            revoked_at: string | null;
            /**
             * Scopes
             * @example [
             *       "ingest"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @description The only team it may touch; null: every team.
             */
            team_id: string | null;
        };
        /**
         * NewTokenAnswer
         * @description A token that was given out just now.
         */
        NewTokenAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Created By
             * @description Who asked for it.
             * @example key:7Q2M4KX0TB
             */
            created_by: string;
            /**
             * Expires At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            expires_at: string;
            /**
             * Id
             * @example 0C5V9Q2M4KX0TB7H
             */
            id: string;
            /**
             * Key Id
             * @description What signed it.
             */
            key_id: string;
            /**
             * Revoked At
             * @description Since when it is refused before that; null: it is not.
             */
            revoked_at: string | null;
            /**
             * Scopes
             * @example [
             *       "read"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Token
             * @description What the browser sends. It is shown this once.
             * @example tpt_WyI3SzJN….mZ9v…
             */
            token: string;
        };
        /**
         * NotificationAnswer
         * @description What is told.
         */
        NotificationAnswer: {
            /** Content */
            content: {
                [key: string]: unknown;
            };
            /**
             * Key
             * @description Its identity: what it is about, once for ever.
             */
            key: string;
            /**
             * Kind
             * @example alert.exceeded
             */
            kind: string;
            /**
             * Occurred At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            occurred_at: string;
            /** Team Id */
            team_id: string | null;
            /** Urgent */
            urgent: boolean;
        };
        /**
         * OverviewAnswer
         * @description Everything at a glance. Money is of billing periods, before credits, in the currency of the plans.
         */
        OverviewAnswer: {
            alerts: components["schemas"]["AlertsOverviewAnswer"];
            /**
             * At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            at: string;
            /**
             * At Risk
             * @description Alerts that are crossed now, the worst first, at most 50.
             */
            at_risk: components["schemas"]["RiskAnswer"][];
            /**
             * Growing
             * @description The ten that grow most, of each currency.
             */
            growing: components["schemas"]["SpenderAnswer"][];
            ingest: components["schemas"]["IngestAnswer"];
            /**
             * Oldest
             * @description No team's numbers are older; null: there are none yet.
             */
            oldest: string | null;
            /**
             * Pending Teams
             * @description Teams that were touched and wait to be looked at.
             */
            pending_teams: number;
            /** @description Null: Stripe is not told anything. */
            stripe: components["schemas"]["StripeOverviewAnswer"] | null;
            /** Teams */
            teams: number;
            /**
             * Top
             * @description The ten that owe most, of each currency.
             */
            top: components["schemas"]["SpenderAnswer"][];
            /**
             * Totals
             * @description By currency, the one of most teams first.
             */
            totals: components["schemas"]["TotalAnswer"][];
        };
        /** Page[AlertAnswer] */
        Page_AlertAnswer_: {
            /** Data */
            data: components["schemas"]["AlertAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[ChannelAnswer] */
        Page_ChannelAnswer_: {
            /** Data */
            data: components["schemas"]["ChannelAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[DeliveryAnswer] */
        Page_DeliveryAnswer_: {
            /** Data */
            data: components["schemas"]["DeliveryAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[GrantAnswer] */
        Page_GrantAnswer_: {
            /** Data */
            data: components["schemas"]["GrantAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[InvoiceSummary] */
        Page_InvoiceSummary_: {
            /** Data */
            data: components["schemas"]["InvoiceSummary"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[KeyAnswer] */
        Page_KeyAnswer_: {
            /** Data */
            data: components["schemas"]["KeyAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[LimitAnswer] */
        Page_LimitAnswer_: {
            /** Data */
            data: components["schemas"]["LimitAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[PeriodAnswer] */
        Page_PeriodAnswer_: {
            /** Data */
            data: components["schemas"]["PeriodAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[ReservationAnswer] */
        Page_ReservationAnswer_: {
            /** Data */
            data: components["schemas"]["ReservationAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[SubscriptionAnswer] */
        Page_SubscriptionAnswer_: {
            /** Data */
            data: components["schemas"]["SubscriptionAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[TeamAnswer] */
        Page_TeamAnswer_: {
            /** Data */
            data: components["schemas"]["TeamAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[TokenAnswer] */
        Page_TokenAnswer_: {
            /** Data */
            data: components["schemas"]["TokenAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[TransactionAnswer] */
        Page_TransactionAnswer_: {
            /** Data */
            data: components["schemas"]["TransactionAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[TransitionAnswer] */
        Page_TransitionAnswer_: {
            /** Data */
            data: components["schemas"]["TransitionAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /** Page[UnvaluedEventAnswer] */
        Page_UnvaluedEventAnswer_: {
            /** Data */
            data: components["schemas"]["UnvaluedEventAnswer"][];
            /**
             * Next Cursor
             * @description Send this as `cursor` for the next page; null on the last one.
             */
            next_cursor: string | null;
        };
        /**
         * PauseAnswer
         * @description A stretch for which nothing is charged.
         */
        PauseAnswer: {
            /**
             * Ends At
             * @description Exclusive; null: until it is resumed.
             */
            ends_at: string | null;
            /**
             * Starts At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            starts_at: string;
        };
        /**
         * PauseRequest
         * @description A stretch for which nothing is charged.
         * @example {
         *       "until": "2026-05-01T00:00:00Z",
         *       "when": "now"
         *     }
         */
        PauseRequest: {
            /**
             * Until
             * @description Exclusive; default: until it is resumed.
             */
            until?: string | null;
            /**
             * When
             * @description `now`, `period_end` (when the billing period ends that is running) or an RFC 3339 instant.
             * @default now
             * @example period_end
             */
            when: ("now" | "period_end") | string;
        };
        /**
         * PaymentRequest
         * @description That a document was paid.
         */
        PaymentRequest: {
            /**
             * Paid At
             * @description RFC 3339; default: now.
             */
            paid_at?: string | null;
        };
        /**
         * PeriodAnswer
         * @description A statement without its lines: a draft of one that is open, or one that is closed.
         */
        PeriodAnswer: {
            /** Closed At */
            closed_at: string | null;
            /**
             * Credits
             * Format: decimal
             * @description What prepaid credit paid.
             * @example 130.00
             */
            credits: string;
            /**
             * Currency
             * @description What the team is billed in.
             * @example USD
             */
            currency: string;
            /**
             * Digest
             * @description SHA-256 over what it was made of and its lines; null while it is open.
             */
            digest: string | null;
            /**
             * End
             * Format: date-time
             * @description … and before this.
             * @example 2026-03-15T12:00:00Z
             */
            end: string;
            /** Id */
            id: number;
            /** @description `correction`: adjustments alone, of a period that was closed before. */
            kind: components["schemas"]["StatementKind"];
            /**
             * Known At
             * @description What was recorded up to here is in it; null while it is open.
             */
            known_at: string | null;
            /**
             * Start
             * Format: date-time
             * @description The period from here on …
             * @example 2026-03-15T12:00:00Z
             */
            start: string;
            status: components["schemas"]["tallystick__billing__statements__models__Status"];
            /** Subscription Id */
            subscription_id: number;
            /**
             * Subtotal
             * @description The sum of the lines; null while it is open.
             */
            subtotal: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Total
             * Format: decimal
             * @description What is due; of an open one, when it was computed last.
             * @example 130.00
             */
            total: string;
            /** Void Reason */
            void_reason: string | null;
            /** Voided At */
            voided_at: string | null;
            /** Voided By */
            voided_by: string | null;
        };
        /**
         * PeriodUnit
         * @description What a plan's billing period is counted in.
         * @enum {string}
         */
        PeriodUnit: "day" | "week" | "month" | "quarter" | "year";
        /**
         * PlanEntry
         * @description A plan, its terms and its prices.
         */
        PlanEntry: {
            /**
             * Archived
             * @description The billing file does not name it any more.
             */
            archived: boolean;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Name
             * @example standard
             */
            name: string;
            /**
             * Period
             * @description How long a billing period is.
             * @example month
             */
            period: string;
            /** Prices */
            prices: components["schemas"]["PriceEntry"][];
            /**
             * Subscribed
             * @description A team is on it, or will be.
             */
            subscribed: boolean;
            /**
             * Terms
             * @description The oldest first.
             */
            terms: components["schemas"]["VersionAnswer"][];
        };
        /**
         * PointAnswer
         * @description The usage of one window.
         */
        PointAnswer: {
            /**
             * End
             * Format: date-time
             * @description Exclusive.
             * @example 2026-03-08T00:00:00-05:00
             */
            end: string;
            /** Events */
            events: number;
            /**
             * Start
             * Format: date-time
             * @example 2026-03-08T00:00:00-05:00
             */
            start: string;
            /** Unvalued */
            unvalued: number;
            /** Usage */
            usage: string | null;
        };
        /**
         * PoliciesAnswer
         * @description What checks of every metric answer while usage can't be read.
         */
        PoliciesAnswer: {
            /** Data */
            data: components["schemas"]["PolicyAnswer"][];
        };
        /**
         * PolicyAnswer
         * @description What checks of a metric answer while usage can't be read.
         */
        PolicyAnswer: {
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /** @description `open` allows, `closed` refuses. */
            when_unavailable: components["schemas"]["WhenUnavailable"];
        };
        /**
         * PolicyRequest
         * @description What checks of a metric answer while usage can't be read.
         * @example {
         *       "when_unavailable": "closed"
         *     }
         */
        PolicyRequest: {
            /** @description `open` allows, `closed` refuses. */
            when_unavailable: components["schemas"]["WhenUnavailable"];
        };
        /**
         * PreferencesModel
         * @description How a team wants to be told. What is urgent, and webhooks, are not held back.
         * @example {
         *       "channels": [
         *         "ops-email"
         *       ],
         *       "digest": "daily",
         *       "digest_at": "09:00",
         *       "emails": [
         *         "billing@acme.example"
         *       ],
         *       "quiet_hours": {
         *         "from": "22:00",
         *         "to": "07:00"
         *       }
         *     }
         */
        PreferencesModel: {
            /**
             * Channels
             * @description Where what names no channel goes. null: to the default channels; none: nowhere.
             */
            channels?: string[] | null;
            /**
             * @description Tell it all at once; weekly ones come on Mondays.
             * @default off
             */
            digest: components["schemas"]["Digest"];
            /**
             * Digest At
             * @description When, in the team's zone.
             * @default 09:00
             */
            digest_at: string;
            /**
             * Emails
             * @description To whom email channels write that have no address of their own.
             * @default []
             */
            emails: string[];
            /** @description When nothing is told; it is told after. */
            quiet_hours?: components["schemas"]["QuietHoursModel"] | null;
        };
        /**
         * PreviewAnswer
         * @description What it would cost; nothing of it is kept.
         */
        PreviewAnswer: {
            /**
             * Difference
             * @description What would be paid more; null without a comparison, or where the currencies differ.
             */
            difference: string | null;
            /** @description The team's statement as it is; null for made up usage. */
            now: components["schemas"]["StatementAnswer"] | null;
            statement: components["schemas"]["StatementAnswer"];
        };
        /**
         * PreviewRequest
         * @description A plan with usage that was made up, or with a team whose real usage is taken.
         * @example {
         *       "plan": "growth",
         *       "usage": [
         *         {
         *           "metric": "api_calls",
         *           "quantity": "150000"
         *         }
         *       ]
         *     }
         */
        PreviewRequest: {
            /**
             * At
             * @description A moment of the period; default: now.
             */
            at?: string | null;
            /**
             * Plan
             * @description A plan's name, for the newest version of it, or with a version.
             * @example growth@2
             */
            plan: string;
            /**
             * Team Id
             * @description Whose zone, currency and own prices apply.
             */
            team_id?: string | null;
            /**
             * Usage
             * @description Null: the team's real usage of the period.
             */
            usage?: components["schemas"]["HypotheticalUsage"][] | null;
        };
        /**
         * PriceAnswer
         * @description A price, and the interval in which it holds; null is unbounded.
         */
        PriceAnswer: {
            /** Effective From */
            effective_from: string | null;
            /** Effective To */
            effective_to: string | null;
            /** Id */
            id: number;
            /**
             * Model
             * @example graduated
             */
            model: string;
        };
        /**
         * PriceEntry
         * @description A price of a plan with its history.
         */
        PriceEntry: {
            /**
             * Metric
             * @description Null: a fee.
             * @example api_calls
             */
            metric: string | null;
            /**
             * Name
             * @example api_calls
             */
            name: string;
            /**
             * Versions
             * @description The oldest first.
             */
            versions: components["schemas"]["VersionAnswer"][];
        };
        /**
         * Problem
         * @description What every error looks like (RFC 9457).
         */
        Problem: {
            /**
             * Code
             * @description The kind of error, for programs.
             * @example not_found
             */
            code: string;
            /**
             * Detail
             * @description What is wrong, where, and what is allowed, in one line.
             */
            detail: string;
            /**
             * Errors
             * @description Every value at fault.
             * @default null
             */
            errors: components["schemas"]["Violation"][] | null;
            /**
             * Field
             * @description The value at fault, where there is one.
             * @default null
             */
            field: string | null;
            /**
             * Request Id
             * @description What the log calls this failure.
             * @default null
             */
            request_id: string | null;
            /**
             * Status
             * @example 404
             */
            status: number;
            /**
             * Title
             * @example Not found
             */
            title: string;
            /**
             * Type
             * @example urn:tallystick:error:not_found
             */
            type: string;
        } & {
            [key: string]: unknown;
        };
        /**
         * ProjectionAnswer
         * @description What the period comes to if usage goes on at the pace it had so far.
         */
        ProjectionAnswer: {
            /**
             * Cost
             * @description Null without a price.
             */
            cost: string | null;
            /**
             * Method
             * @description `run_rate`: usage so far ÷ elapsed time × whole period where usage adds up, else the usage so far. No trend, no season.
             * @example run_rate
             */
            method: string;
            /** Usage */
            usage: string | null;
        };
        /**
         * QuietHoursModel
         * @description When nobody wants to be told; over midnight where the end is the earlier.
         */
        QuietHoursModel: {
            /**
             * From
             * @description Wall time in the team's zone.
             * @example 22:00
             */
            from: string;
            /**
             * To
             * @description Exclusive.
             * @example 07:00
             */
            to: string;
        };
        /**
         * RatesAnswer
         * @description The rates of a pair, day by day.
         */
        RatesAnswer: {
            /** Base */
            base: string;
            /** Data */
            data: components["schemas"]["DailyAnswer"][];
            /** Quote */
            quote: string;
        };
        /**
         * ReasonAnswer
         * @description Rejected events that wait, for one reason.
         */
        ReasonAnswer: {
            /**
             * Code
             * @example unknown_team
             */
            code: string;
            /** Number */
            number: number;
        };
        /**
         * RecipientAnswer
         * @description How a team is addressed on its documents.
         */
        RecipientAnswer: {
            /**
             * Address
             * @example [
             *       "1 Main Street",
             *       "Springfield"
             *     ]
             */
            address: string[];
            /** Email */
            email: string;
            /**
             * Locale
             * @description Null: the one of the billing file.
             * @example de_DE
             */
            locale: string | null;
            /**
             * Name
             * @example Acme Inc.
             */
            name: string;
            /** Reference */
            reference: string;
            /** Tax Id */
            tax_id: string;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * RecipientRequest
         * @description How a team is addressed on its next documents; all of it is replaced.
         */
        RecipientRequest: {
            /**
             * Address
             * @default []
             * @example [
             *       "1 Main Street",
             *       "Springfield"
             *     ]
             */
            address: string[];
            /**
             * Email
             * @default
             */
            email: string;
            /**
             * Locale
             * @description Default: the one of the billing file.
             * @example de_DE
             */
            locale?: string | null;
            /**
             * Name
             * @example Acme Inc.
             */
            name: string;
            /**
             * Reference
             * @description The customer's own, such as a purchase order.
             * @default
             */
            reference: string;
            /**
             * Tax Id
             * @default
             */
            tax_id: string;
        };
        /**
         * RecurrenceAnswer
         * @description How a grant comes again: at `anchor` and every so many periods before and after it, in the zone's wall time.
         */
        RecurrenceAnswer: {
            /**
             * Anchor
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            anchor: string;
            /**
             * Every
             * @example 1
             */
            every: number;
            period: components["schemas"]["PeriodUnit"];
            /**
             * Rollover
             * Format: decimal
             * @description The most of what is left that is carried over.
             * @example 50
             */
            rollover: string;
            /**
             * Time Zone
             * @example America/New_York
             */
            time_zone: string;
        };
        /**
         * RecurrenceRequest
         * @description How a grant comes again.
         */
        RecurrenceRequest: {
            /**
             * Anchor
             * @description A moment at which it is given; the others are whole periods away. Default: when it takes effect.
             */
            anchor?: string | null;
            /**
             * Every
             * @default 1
             */
            every: number;
            period: components["schemas"]["PeriodUnit"];
            /**
             * Rollover
             * @description The most of what is left that is carried over into the next period: an amount, or a percentage of what is given, such as `50%`. The rest expires.
             * @default 0
             * @example 50%
             */
            rollover: string;
            /**
             * Time Zone
             * @description IANA time zone whose wall time counts. Default: the team's.
             * @example UTC
             */
            time_zone?: string | null;
        };
        /**
         * RejectedAgain
         * @description A letter that was rejected again.
         */
        RejectedAgain: {
            /** Code */
            code: string;
            /** Field */
            field: string | null;
            /** Id */
            id: number;
            /** Message */
            message: string;
        };
        /**
         * RepairRequest
         * @description How a letter is repaired: by another event in its place, or by changes.
         * @example {
         *       "changes": {
         *         "team_id": "acme"
         *       },
         *       "reason": "a typing error"
         *     }
         */
        RepairRequest: {
            /**
             * Changes
             * @description Members to put into the event; null takes one out. Metadata is replaced as a whole.
             */
            changes?: {
                [key: string]: unknown;
            } | null;
            /**
             * Event
             * @description The whole event, as it should have been sent.
             */
            event?: {
                [key: string]: unknown;
            } | null;
            /**
             * Reason
             * @description For the record.
             */
            reason?: string | null;
        };
        /**
         * ReplayAnswer
         * @description What became of a replay.
         */
        ReplayAnswer: {
            /**
             * Errors
             * @description Why not: field, code and message.
             */
            errors: {
                [key: string]: unknown;
            }[];
            letter: components["schemas"]["DeadLetterAnswer"];
            /**
             * Taken
             * @description Whether its event is stored now.
             */
            taken: boolean;
        };
        /**
         * ReplayManyRequest
         * @description Which letters to send again.
         * @example {
         *       "code": "unknown_team"
         *     }
         */
        ReplayManyRequest: {
            /**
             * All
             * @description Every letter that waits.
             * @default false
             */
            all: boolean;
            /**
             * Changes
             * @description The same repair of each, such as another `team_id`; null takes a member out.
             */
            changes?: {
                [key: string]: unknown;
            } | null;
            /**
             * Code
             * @description Rejected for this reason.
             * @example unknown_team
             */
            code?: string | null;
            /**
             * Cursor
             * @description The `next_cursor` of the answer before.
             */
            cursor?: string | null;
            /** @description Rejected for a reason of this class. */
            kind?: components["schemas"]["tallystick__metering__dead_letters__models__Kind"] | null;
            /**
             * Reason
             * @description For the record.
             */
            reason?: string | null;
            /** Team Id */
            team_id?: string | null;
        };
        /**
         * ReplaysAnswer
         * @description What became of some letters that were sent again.
         */
        ReplaysAnswer: {
            /**
             * Errors
             * @description Why, of the first 100.
             */
            errors: components["schemas"]["RejectedAgain"][];
            /**
             * Next Cursor
             * @description Send it as `cursor` to go on; null: every letter has been tried.
             */
            next_cursor: string | null;
            /**
             * Rejected
             * @description Letters that were rejected again, and wait on.
             */
            rejected: number;
            /**
             * Taken
             * @description Letters whose events are stored now.
             */
            taken: number;
        };
        /**
         * ReportAnswer
         * @description A team's usage, what it costs, where that leads, and its history.
         */
        ReportAnswer: {
            /**
             * As Of
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            as_of: string;
            /**
             * Credits
             * @description Prepaid credits, of each currency, then of each metric; empty without a grant. No total here has them taken off.
             */
            credits: components["schemas"]["ReportedCreditsAnswer"][];
            /** @description Not affected by `from` and `to`. */
            current_period: components["schemas"]["CurrentPeriodAnswer"];
            /**
             * Dead Letters
             * @description Events of the team and the current period that were rejected and wait to be repaired, by reason. None of them is in any usage here.
             */
            dead_letters: components["schemas"]["WaitingAnswer"][];
            /** @description From `from` to `to`, in windows of the team's local time. */
            history: components["schemas"]["HistoryAnswer"];
            /** Metrics */
            metrics: components["schemas"]["MetricAnswer"][];
            /**
             * Others
             * @description Lines about no metric: fees, discounts, a minimum. Where every metric is shown; they are in the totals of the current period.
             */
            others: components["schemas"]["LineAnswer"][];
            /**
             * Plan
             * @example standard
             */
            plan: string | null;
            /** @description How what the billing provider is given stands; null: it is given nothing. */
            settlement?: components["schemas"]["StandingAnswer"] | null;
            /**
             * Subscription Id
             * @description Null: the team is metered, not billed.
             */
            subscription_id: number | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Team Name
             * @example Acme Inc.
             */
            team_name: string;
            /**
             * Time Zone
             * @example America/New_York
             */
            time_zone: string;
        };
        /**
         * ReportedCreditsAnswer
         * @description Prepaid credits of one currency, or of one metric's unit, and what of them pays for the current period.
         */
        ReportedCreditsAnswer: {
            /**
             * Booked
             * @description True: the period is closed, and `burns` is what it burned. False: what closing it now would burn.
             */
            booked: boolean;
            /**
             * Burns
             * @description In the order of burning. Null where it can't be foreseen: not every metric is shown, or there is no rate into the currency of the bill.
             */
            burns: components["schemas"]["CreditBurnAnswer"][] | null;
            /**
             * Currency
             * @description Null: credits of usage.
             * @example USD
             */
            currency: string | null;
            /**
             * Granted
             * Format: decimal
             * @description What was given by now; of a recurring grant every time.
             * @example 100
             */
            granted: string;
            /**
             * Metric
             * @description Null: credits of money.
             */
            metric: string | null;
            /**
             * Remaining
             * Format: decimal
             * @description What is left now; what a period that is not closed would burn is still in it.
             * @example 100
             */
            remaining: string;
        };
        /**
         * ReservationAnswer
         * @description A reservation.
         */
        ReservationAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Ended At
             * @description Since when it keeps nothing free; null: it does.
             */
            ended_at: string | null;
            /**
             * Holds Until
             * Format: date-time
             * @description When it runs out, unless it is committed or released before.
             * @example 2026-03-15T12:00:00Z
             */
            holds_until: string;
            /**
             * Id
             * Format: uuid
             */
            id: string;
            /**
             * Metric
             * @example api_calls
             */
            metric: string;
            /**
             * Quantity
             * Format: decimal
             * @example 0.0008
             */
            quantity: string;
            /** Reference */
            reference: string | null;
            state: components["schemas"]["ReservationState"];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * ReservationState
         * @description How a reservation stands.
         * @enum {string}
         */
        ReservationState: "held" | "committed" | "settled" | "released" | "expired";
        /**
         * ResumeRequest
         * @description The end of a pause.
         * @example {
         *       "when": "now"
         *     }
         */
        ResumeRequest: {
            /**
             * When
             * @description `now`, `period_end` (when the billing period ends that is running) or an RFC 3339 instant.
             * @default now
             * @example period_end
             */
            when: ("now" | "period_end") | string;
        };
        /**
         * RiskAnswer
         * @description An alert that is crossed now, by its worst step.
         */
        RiskAnswer: {
            /**
             * Alert
             * @description The alert's name.
             */
            alert: string;
            /** Alert Id */
            alert_id: number;
            /**
             * Kind
             * @example cost
             */
            kind: string;
            /**
             * Limit
             * Format: decimal
             * @example 0.0008
             */
            limit: string;
            /** Metric */
            metric: string | null;
            /**
             * Name
             * @description The team's.
             */
            name: string;
            /**
             * Since
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            since: string;
            /**
             * State
             * @description `warning` or `exceeded`.
             * @example exceeded
             */
            state: string;
            /** Team Id */
            team_id: string;
            /**
             * Threshold
             * Format: decimal
             * @description What the percentages of the alert's steps are of.
             * @example 0.0008
             */
            threshold: string;
            /**
             * Type
             * @description `soft` or `hard`.
             */
            type: string;
            /**
             * Unit
             * @description Of the numbers: a currency or a unit.
             * @example USD
             */
            unit: string | null;
            /**
             * Value
             * @description When it was crossed.
             */
            value: string | null;
        };
        /**
         * RolledUp
         * @description What the roll-up did.
         */
        RolledUp: {
            /**
             * Backfilled
             * @description Months of new or changed metrics that were filled in.
             */
            backfilled: number;
            /**
             * Batches
             * @description Batches of events that were taken.
             */
            batches: number;
            /**
             * Complete
             * @description Whether nothing is left to do. Usage is exact either way.
             */
            complete: boolean;
            /** Events */
            events: number;
            /**
             * Hours Recomputed
             * @description Hours that a correction had made wrong.
             */
            hours_recomputed: number;
        };
        /**
         * RotationAnswer
         * @description A webhook's new secret.
         */
        RotationAnswer: {
            /**
             * Signing Secret
             * @description It is shown this once.
             */
            signing_secret: string;
        };
        /**
         * Scope
         * @description What an API key may be used for. `admin` implies the other two.
         * @enum {string}
         */
        Scope: "ingest" | "read" | "admin";
        /**
         * SentTest
         * @description A test message on its way.
         */
        SentTest: {
            /**
             * Key
             * @description What the notification is called among the deliveries.
             */
            key: string;
        };
        /**
         * SeriesAnswer
         * @description The usage of every window, for one set of dimension values.
         */
        SeriesAnswer: {
            /**
             * Dimensions
             * @description Empty without `group_by`; null is an event that does not have the dimension.
             * @example {
             *       "region": "eu"
             *     }
             */
            dimensions: {
                [key: string]: string | null;
            };
            /** Windows */
            windows: components["schemas"]["PointAnswer"][];
        };
        /**
         * SessionAnswer
         * @description Who sent the request.
         */
        SessionAnswer: {
            /**
             * Expires At
             * @description From when on it is refused; null: not by itself.
             */
            expires_at: string | null;
            /** @description By an API key, by a portal token, or in dev mode, where no key is asked for. */
            mode: components["schemas"]["Mode"];
            /**
             * Name
             * @description What the key's owner called it.
             * @example gateway
             */
            name: string;
            /**
             * Scopes
             * @description What it may be used for.
             * @example [
             *       "read"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @description The only team it may touch; null: every team.
             * @example acme
             */
            team_id: string | null;
            /**
             * Version
             * @description The server's version.
             * @example 0.1.0
             */
            version: string;
        };
        /**
         * SigningKeyAnswer
         * @description What tokens are signed with, without the secret.
         */
        SigningKeyAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /** Id */
            id: string;
            /**
             * Needed Until
             * @description When the last token that it signed expires; null: there is none.
             */
            needed_until: string | null;
            /**
             * Revoked At
             * @description Since when nothing that it signed is believed; null: it is.
             */
            revoked_at: string | null;
        };
        /**
         * SigningKeysAnswer
         * @description The newest 100 keys, newest first; the first that is not revoked signs.
         */
        SigningKeysAnswer: {
            /** Data */
            data: components["schemas"]["SigningKeyAnswer"][];
        };
        /**
         * SourcesAnswer
         * @description Everything there are rates of.
         */
        SourcesAnswer: {
            /** Data */
            data: components["schemas"]["CoverageAnswer"][];
        };
        /**
         * SpenderAnswer
         * @description A team's period as it was when it was looked at last.
         */
        SpenderAnswer: {
            /**
             * Computed At
             * Format: date-time
             * @description When it was looked at.
             * @example 2026-03-15T12:00:00Z
             */
            computed_at: string;
            /**
             * Cost
             * @description So far; null: nothing has a price.
             */
            cost: string | null;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Events
             * @description How often a metric counted an event in the period.
             */
            events: number;
            /**
             * Growth
             * @description How many percent more the period will come to than the one before, to a tenth; null: nothing to compare.
             */
            growth: string | null;
            /** Name */
            name: string;
            /**
             * Period End
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            period_end: string;
            /**
             * Period Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            period_start: string;
            /**
             * Plan
             * @example growth
             */
            plan: string | null;
            /**
             * Previous
             * @description What the period before came to; null: there was none.
             */
            previous: string | null;
            /**
             * Projected
             * @description At the period's end, at the pace so far.
             */
            projected: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * StandingAnswer
         * @description How the usage stands that the billing provider is told, in differences of an hour's usage.
         */
        StandingAnswer: {
            /**
             * Accepted
             * @description The provider said yes, and was not seen to count them yet.
             */
            accepted: number;
            /** @description How bills made here stand; null: there are none. */
            bills: components["schemas"]["BillsAnswer"] | null;
            /**
             * Confirmed
             * @description Its own sums agree.
             */
            confirmed: number;
            /**
             * Hold
             * @description What has to be put right; null: nothing.
             */
            hold: string | null;
            /**
             * In Doubt
             * @description Of those pending, how many may have arrived.
             */
            in_doubt: number;
            /**
             * Late
             * @description Came when the bill of their period was final; the team's policy decides.
             */
            late: number;
            /**
             * Oldest
             * @description Since when.
             */
            oldest: string | null;
            /**
             * Oldest Seconds
             * @description How long the oldest has been waiting; null: none is.
             */
            oldest_seconds: number | null;
            /**
             * Parked
             * @description Wait until something is put right; `hold` says what.
             */
            parked: number;
            /**
             * Pending
             * @description Written down, and will be sent.
             */
            pending: number;
            /**
             * Provider
             * @example Stripe
             */
            provider: string;
            /**
             * Quarantined
             * @description It refuses them for good. Nothing of them is lost here.
             */
            quarantined: number;
        };
        /**
         * StatementAnswer
         * @description What a team owes for its current period so far.
         */
        StatementAnswer: {
            /**
             * Computed At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            computed_at: string;
            /**
             * Credits
             * Format: decimal
             * @description What prepaid credit takes off.
             * @example 130.00
             */
            credits: string;
            /**
             * Currency
             * @description What the team is billed in.
             * @example USD
             */
            currency: string | null;
            /**
             * End
             * Format: date-time
             * @description … and before this.
             * @example 2026-03-08T00:00:00-05:00
             */
            end: string;
            /**
             * Known At
             * @description Nothing recorded later is in it; null: as things are known now.
             */
            known_at: string | null;
            /** Lines */
            lines: components["schemas"]["LineAnswer"][];
            /**
             * Plan
             * @example standard
             */
            plan: string | null;
            /**
             * Reason
             * @description Why there is no total; null where there is one.
             */
            reason: string | null;
            /**
             * Start
             * Format: date-time
             * @description The period from here on …
             * @example 2026-03-08T00:00:00-05:00
             */
            start: string;
            /**
             * Status
             * @description The period is open: the statement still changes.
             * @default active
             */
            status: string;
            /** Subscription Id */
            subscription_id: number | null;
            /**
             * Subtotal
             * @description The sum of the lines' totals; null without a subscription.
             */
            subtotal: string | null;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Time Zone
             * @example America/New_York
             */
            time_zone: string;
            /**
             * Total
             * @description Subtotal less credits; null without a subscription.
             */
            total: string | null;
        };
        /**
         * StatementKind
         * @description The statement of a period, or adjustments alone, of a period that was closed before.
         * @enum {string}
         */
        StatementKind: "period" | "correction";
        /**
         * StatusAnswer
         * @description How an alert stands with a team, and the number as it is now.
         */
        StatusAnswer: {
            /**
             * Alert Id
             * @example 12
             */
            alert_id: number;
            kind: components["schemas"]["tallystick__alerts__models__Kind"];
            /** Name */
            name: string;
            /**
             * Period End
             * @description Null: a silence has no end yet.
             */
            period_end: string | null;
            /**
             * Period Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            period_start: string;
            /** @description Of the step that stands worst. */
            state: components["schemas"]["tallystick__alerts__models__State"];
            /** Steps */
            steps: components["schemas"]["StepStatusAnswer"][];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Threshold Value
             * Format: decimal
             * @example 1000
             */
            threshold_value: string;
            /**
             * Unit
             * @example USD
             */
            unit: string;
            /**
             * Value
             * @description Null: there is nothing to compare.
             * @example 812.50
             */
            value: string | null;
        };
        /**
         * StatusesAnswer
         * @description How the active alerts about a team stand.
         */
        StatusesAnswer: {
            /** Data */
            data: components["schemas"]["StatusAnswer"][];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * StepRequest
         * @description A limit: a percentage of the threshold, or a value. With neither, 100 percent.
         */
        StepRequest: {
            /** @description Default: the alert's. */
            action?: components["schemas"]["ActionRequest"] | null;
            /**
             * Percent
             * @description Of the threshold.
             * @example 80
             */
            percent?: string | null;
            /** @description Default: the alert's. */
            type?: components["schemas"]["StepType"] | null;
            /**
             * Value
             * @description Instead of a percentage.
             */
            value?: string | null;
        };
        /**
         * StepStatusAnswer
         * @description How a step stands with a team in the period that is running.
         */
        StepStatusAnswer: {
            /**
             * Changed At
             * @description Since when; null: since the period began.
             */
            changed_at: string | null;
            state: components["schemas"]["tallystick__alerts__models__State"];
            step: components["schemas"]["tallystick__alerts__answers__StepAnswer"];
        };
        /**
         * StepType
         * @description `soft` tells; `hard` is also told in quiet hours, and may throttle.
         * @enum {string}
         */
        StepType: "soft" | "hard";
        /**
         * StripeOverviewAnswer
         * @description What is to be told to Stripe, and where it differs.
         */
        StripeOverviewAnswer: {
            /** Bills Held */
            bills_held: number;
            /** Bills Waiting */
            bills_waiting: number;
            /**
             * Drift
             * @description The newest ten.
             */
            drift: components["schemas"]["DriftAnswer"][];
            /**
             * Late
             * @description Came when the bill was final.
             */
            late: number;
            /**
             * Parked
             * @description Of these, how many wait until something is put right.
             */
            parked: number;
            /**
             * Pending
             * @description Differences of usage that wait to be sent.
             */
            pending: number;
            /**
             * Quarantined
             * @description Refused for good.
             */
            quarantined: number;
        };
        /**
         * SubscriptionAnswer
         * @description A team on a plan. Periods are `period_every` times `period_unit` long.
         */
        SubscriptionAnswer: {
            anchor: components["schemas"]["Anchor"];
            /**
             * Anchored At
             * Format: date-time
             * @description Whose anniversaries periods begin on, with `anniversary`.
             * @example 2026-03-15T12:00:00Z
             */
            anchored_at: string;
            /** Cancel Reason */
            cancel_reason: string | null;
            /**
             * Canceled At
             * @description When it was said that it ends at `ends_at`.
             */
            canceled_at: string | null;
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Ends At
             * @description Exclusive; null: until further notice.
             */
            ends_at: string | null;
            /**
             * Id
             * @example 17
             */
            id: number;
            /** Pauses */
            pauses: components["schemas"]["PauseAnswer"][];
            /**
             * Period Every
             * @example 1
             */
            period_every: number;
            period_unit: components["schemas"]["PeriodUnit"];
            /**
             * Plan
             * @description With its version, from the second on.
             * @example growth@2
             */
            plan: string;
            /**
             * Plan Version
             * @example 2
             */
            plan_version: number;
            /**
             * Starts At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            starts_at: string;
            /** @description As of now. */
            status: components["schemas"]["tallystick__billing__teams__models__Status"];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Trial Ends At
             * @description Exclusive; null: there is no trial.
             */
            trial_ends_at: string | null;
        };
        /**
         * SubscriptionRequest
         * @description A plan for a team.
         * @example {
         *       "plan": "standard",
         *       "starts_at": "2026-03-01T00:00:00-05:00"
         *     }
         */
        SubscriptionRequest: {
            /**
             * @description `calendar`: periods begin on the 1st, on Monday, in January. `anniversary`: they begin at the local date and time at which the subscription starts.
             * @default calendar
             */
            anchor: components["schemas"]["Anchor"];
            /**
             * Anchored At
             * @description With `anniversary`: the instant whose date and time count instead of the start's.
             */
            anchored_at?: string | null;
            /**
             * Ends At
             * @description Exclusive; default: until further notice.
             */
            ends_at?: string | null;
            /**
             * Plan
             * @description Its name, for the newest version of it, or with a version: `growth@2`.
             * @example standard
             */
            plan: string;
            /**
             * Plan Version
             * @description Which version of the plan; default: the newest.
             */
            plan_version?: number | null;
            /**
             * Starts At
             * @description RFC 3339; default: now. The subscription in force there ends there.
             */
            starts_at?: string | null;
            /**
             * Trial Days
             * @description Days of the team's zone from the start for which nothing is charged. Default: as the plan says, once for all versions of it.
             */
            trial_days?: number | null;
            /**
             * Trial Ends At
             * @description The end of the trial instead; exclusive.
             */
            trial_ends_at?: string | null;
        };
        /**
         * SyncAnswer
         * @description What a synchronisation with the billing provider did.
         */
        SyncAnswer: {
            /**
             * Counts
             * @description How many of what.
             * @example {
             *       "usage booked": 3
             *     }
             */
            counts: {
                [key: string]: number;
            };
            /**
             * Problems
             * @description What somebody has to look at. Nothing is lost by it.
             */
            problems: string[];
            /**
             * Provider
             * @example Stripe
             */
            provider: string;
        };
        /**
         * TalliesAnswer
         * @description The sources of this server.
         */
        TalliesAnswer: {
            /** Data */
            data: components["schemas"]["TallyAnswer"][];
        };
        /**
         * TallyAnswer
         * @description A source, and what came from it in the last 30 days.
         */
        TallyAnswer: {
            /** Accepted */
            accepted: number;
            /** Duplicates */
            duplicates: number;
            /**
             * Ignored
             * @description Items that it passes over.
             */
            ignored: number;
            /**
             * Last At
             * @description When it was heard of last; null: not in these days.
             */
            last_at: string | null;
            /**
             * Rejected
             * @description Events that became dead letters.
             */
            rejected: number;
            /**
             * Requests
             * @description Those that were signed right.
             */
            requests: number;
            /**
             * Scheme
             * @description How it signs.
             * @example standard
             */
            scheme: string;
            /**
             * Source
             * @example telephony
             */
            source: string;
        };
        /**
         * TeamAnswer
         * @description A team.
         */
        TeamAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Currency
             * @description What it is billed in; null: the currency of its plan.
             * @example USD
             */
            currency: string | null;
            /**
             * Id
             * @example acme
             */
            id: string;
            /**
             * Metadata
             * @example {
             *       "crm": "A-17"
             *     }
             */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Name
             * @example Acme Inc.
             */
            name: string;
            /**
             * Time Zone
             * @example America/New_York
             */
            time_zone: string;
        };
        /**
         * TeamBalanceAnswer
         * @description What a team has at a moment, of each currency and of each metric.
         */
        TeamBalanceAnswer: {
            /**
             * At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            at: string;
            /** Balances */
            balances: components["schemas"]["UnitBalanceAnswer"][];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * TeamPatch
         * @description What is to be another of a team. What is left out stays.
         * @example {
         *       "time_zone": "Europe/Berlin"
         *     }
         */
        TeamPatch: {
            /**
             * Currency
             * @description ISO 4217 code of the currency that the team is billed in. null: that of its plan again.
             */
            currency?: string | null;
            /**
             * Metadata
             * @description A JSON object of your own: at most 50 keys and 16 KiB. Replaces what there is.
             */
            metadata?: {
                [key: string]: unknown;
            } | null;
            /** Name */
            name?: string | null;
            /**
             * Time Zone
             * @description IANA time zone in which the team's days, months and billing periods begin. Moves the bounds of open periods.
             */
            time_zone?: string | null;
        };
        /**
         * TeamRequest
         * @description A team to be made.
         * @example {
         *       "id": "acme",
         *       "metadata": {
         *         "crm": "A-17"
         *       },
         *       "name": "Acme Inc.",
         *       "time_zone": "America/New_York"
         *     }
         */
        TeamRequest: {
            /**
             * Currency
             * @description ISO 4217 code of the currency that the team is billed in. Default: that of its plan.
             */
            currency?: string | null;
            /**
             * Id
             * @description What events and keys name the team by.
             */
            id: string;
            /**
             * Metadata
             * @description A JSON object of your own: at most 50 keys and 16 KiB.
             * @default {}
             */
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Name
             * @description Default: the id.
             */
            name?: string | null;
            /**
             * Time Zone
             * @description IANA time zone in which the team's days, months and billing periods begin.
             * @default UTC
             */
            time_zone: string;
        };
        /**
         * TestedAnswer
         * @description The test notifications that were queued, one for each step.
         */
        TestedAnswer: {
            /** Data */
            data: components["schemas"]["TestedStep"][];
        };
        /**
         * TestedStep
         * @description A test notification that was queued.
         */
        TestedStep: {
            /**
             * Channels
             * @description Channels that are told; none: those that the team prefers.
             */
            channels: string[];
            /**
             * Key
             * @description By which its deliveries are found.
             */
            key: string;
            /** Title */
            title: string;
        };
        /**
         * ThrottleAnswer
         * @description Why a team is stopped.
         */
        ThrottleAnswer: {
            /**
             * Cause
             * @description What throttles it.
             * @example alert:12:3
             */
            cause: string;
            /**
             * Metric
             * @description Null: for every metric.
             */
            metric: string | null;
            /**
             * Since
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            since: string;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Until
             * @description Null: until the cause is ended.
             */
            until: string | null;
        };
        /**
         * ThrottleRequest
         * @description Whom to stop.
         * @example {
         *       "metric": "api_calls",
         *       "team_id": "acme"
         *     }
         */
        ThrottleRequest: {
            /**
             * Cause
             * @description Why; it is shown.
             * @default manual
             */
            cause: string;
            /**
             * Metric
             * @description Default: every metric.
             */
            metric?: string | null;
            /** Team Id */
            team_id: string;
            /**
             * Until
             * @description Default: until it is ended.
             */
            until?: string | null;
        };
        /**
         * ThrottlesAnswer
         * @description Who is stopped.
         */
        ThrottlesAnswer: {
            /** Data */
            data: components["schemas"]["ThrottleAnswer"][];
        };
        /**
         * TokenAnswer
         * @description A token, without what would let anybody in.
         */
        TokenAnswer: {
            /**
             * Created At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            created_at: string;
            /**
             * Created By
             * @description Who asked for it.
             * @example key:7Q2M4KX0TB
             */
            created_by: string;
            /**
             * Expires At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            expires_at: string;
            /**
             * Id
             * @example 0C5V9Q2M4KX0TB7H
             */
            id: string;
            /**
             * Key Id
             * @description What signed it.
             */
            key_id: string;
            /**
             * Revoked At
             * @description Since when it is refused before that; null: it is not.
             */
            revoked_at: string | null;
            /**
             * Scopes
             * @example [
             *       "read"
             *     ]
             */
            scopes: components["schemas"]["Scope"][];
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
        };
        /**
         * TokenRequest
         * @description A token to be given out.
         * @example {
         *       "expires_in": 3600,
         *       "scopes": [
         *         "read"
         *       ],
         *       "team_id": "acme"
         *     }
         */
        TokenRequest: {
            /**
             * Expires In
             * @description How long it is good for, in seconds.
             * @default 3600
             * @example 3600
             */
            expires_in: number;
            /**
             * Scopes
             * @description What it may be used for.
             * @default [
             *       "read"
             *     ]
             */
            scopes: "read"[];
            /**
             * Team Id
             * @description The team that it shows.
             * @example acme
             */
            team_id: string;
        };
        /**
         * TotalAnswer
         * @description What all teams of one currency come to.
         */
        TotalAnswer: {
            /**
             * Cost
             * Format: decimal
             * @description In their periods so far.
             * @example 130.00
             */
            cost: string;
            /**
             * Currency
             * @example USD
             */
            currency: string;
            /**
             * Growth
             * @description How many percent more the period will come to than the one before, to a tenth; null: nothing to compare.
             */
            growth: string | null;
            /**
             * Previous
             * Format: decimal
             * @description In the periods before.
             * @example 130.00
             */
            previous: string;
            /**
             * Projected
             * Format: decimal
             * @description At the ends of these, at the pace so far.
             * @example 130.00
             */
            projected: string;
            /** Teams */
            teams: number;
        };
        /**
         * TraceAnswer
         * @description Everything known about one event.
         */
        TraceAnswer: {
            correction: components["schemas"]["CorrectionAnswer"] | null;
            /**
             * Counted
             * @description The metrics that count it; none where it no longer counts.
             */
            counted: components["schemas"]["CountedAnswer"][];
            event: components["schemas"]["EventAnswer"];
            /** Timeline */
            timeline: components["schemas"]["MomentAnswer"][];
        };
        /**
         * TransactionAnswer
         * @description A transaction of the ledger: its entries add up to zero.
         */
        TransactionAnswer: {
            /**
             * Actor
             * @description Who did it, where somebody did.
             * @example key:7Q2M4KX0TB
             */
            actor: string | null;
            /**
             * Effective At
             * Format: date-time
             * @description When it holds.
             * @example 2026-03-15T12:00:00Z
             */
            effective_at: string;
            /** Entries */
            entries: components["schemas"]["EntryAnswer"][];
            /**
             * Id
             * @example 42
             */
            id: number;
            kind: components["schemas"]["TransactionKind"];
            /**
             * Period Id
             * @description The billing period that burned the credits, or gave them back.
             */
            period_id: number | null;
            /**
             * Recorded At
             * Format: date-time
             * @description When it was booked.
             * @example 2026-03-15T12:00:00Z
             */
            recorded_at: string;
        };
        /**
         * TransactionKind
         * @description Why credits moved.
         * @enum {string}
         */
        TransactionKind: "grant" | "burn" | "reversal" | "expiry" | "rollover" | "void";
        /**
         * TransitionAnswer
         * @description A change of state, with the numbers that caused it.
         */
        TransitionAnswer: {
            /**
             * Alert Id
             * @example 12
             */
            alert_id: number;
            /** @description `measured`, or the alert was `changed` or `deleted`. */
            cause: components["schemas"]["Cause"];
            from_state: components["schemas"]["tallystick__alerts__models__State"];
            /**
             * Id
             * @example 78
             */
            id: number;
            /**
             * Known At
             * Format: date-time
             * @description What was recorded up to here gives the value again.
             * @example 2026-03-15T12:00:00Z
             */
            known_at: string;
            /**
             * Limit
             * Format: decimal
             * @description What it was compared with.
             * @example 800
             */
            limit: string;
            /**
             * Period End
             * @description Null: of a silence, which begins with the last event.
             */
            period_end: string | null;
            /**
             * Period Start
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            period_start: string;
            /**
             * Step Id
             * @example 34
             */
            step_id: number;
            /**
             * Team Id
             * @example acme
             */
            team_id: string;
            /**
             * Terms
             * @description The alert and its step as they were then.
             */
            terms: {
                [key: string]: unknown;
            };
            to_state: components["schemas"]["tallystick__alerts__models__State"];
            /**
             * Told
             * @description Whether it was told: the first crossing and resolution of a period are.
             */
            told: boolean;
            /**
             * Unit
             * @example USD
             */
            unit: string;
            /**
             * Value
             * @description What was measured.
             * @example 801.20
             */
            value: string | null;
        };
        /**
         * TrialRequest
         * @description Another end of the trial.
         * @example {
         *       "ends_at": "2026-04-15T00:00:00Z"
         *     }
         */
        TrialRequest: {
            /**
             * Ends At
             * @description Exclusive; null: there is no trial, from the start on.
             */
            ends_at: string | null;
        };
        /**
         * UnitBalanceAnswer
         * @description What a team has of one currency, or of one metric's unit.
         */
        UnitBalanceAnswer: {
            /**
             * Available
             * Format: decimal
             * @description What is left.
             * @example 60
             */
            available: string;
            /**
             * Currency
             * @example USD
             */
            currency: string | null;
            /**
             * Expired
             * Format: decimal
             * @description What was left over and is lost.
             * @example 0
             */
            expired: string;
            /**
             * Granted
             * Format: decimal
             * @description What was given so far; of a recurring grant every time.
             * @example 100
             */
            granted: string;
            /** Metric */
            metric: string | null;
            /**
             * Pending
             * Format: decimal
             * @description What is granted but not in force yet.
             * @example 0
             */
            pending: string;
            /**
             * Used
             * Format: decimal
             * @description What has paid for closed billing periods.
             * @example 40
             */
            used: string;
            /**
             * Voided
             * Format: decimal
             * @description What was left when a grant was voided.
             * @example 0
             */
            voided: string;
        };
        /**
         * UnvaluedAnswer
         * @description How many events of a team a metric counts but finds no value in.
         */
        UnvaluedAnswer: {
            /**
             * Events
             * @description How many of the team's events the metric counts in all.
             */
            events: number;
            /**
             * Metric
             * @example bandwidth
             */
            metric: string;
            /** Team Id */
            team_id: string;
            /** Unvalued */
            unvalued: number;
        };
        /**
         * UnvaluedEventAnswer
         * @description An event that a metric counts but finds no value in.
         */
        UnvaluedEventAnswer: {
            event: components["schemas"]["EventAnswer"];
            /**
             * Problem
             * @description Why.
             * @example metadata has no bytes
             */
            problem: string;
        };
        /**
         * UnvaluedPage
         * @description Which metrics find no value in events of which teams, the most first.
         */
        UnvaluedPage: {
            /** Data */
            data: components["schemas"]["UnvaluedAnswer"][];
        };
        /**
         * UploadAnswer
         * @description What became of an uploaded table.
         */
        UploadAnswer: {
            /**
             * Added
             * @description How many are for a pair and day that had none.
             */
            added: number;
            /**
             * Rates
             * @description How many rates it has.
             */
            rates: number;
            /**
             * Replaced
             * @description How many hold from now on in place of others.
             */
            replaced: number;
            /** Table */
            table: string;
        };
        /**
         * VerificationAnswer
         * @description A closed statement, checked.
         */
        VerificationAnswer: {
            /** Agrees */
            agrees: boolean;
            /**
             * Differences
             * @description What raw usage, prices and terms, as known when it was closed, do not give again.
             */
            differences: components["schemas"]["DifferenceAnswer"][];
            /** Digest */
            digest: string;
            /**
             * Intact
             * @description Whether the digest is that of the stored inputs and lines.
             */
            intact: boolean;
            /** Period Id */
            period_id: number;
        };
        /**
         * VerifiedAnswer
         * @description A change of state, and the number measured again from what was known then.
         */
        VerifiedAnswer: {
            /** Agrees */
            agrees: boolean;
            transition: components["schemas"]["TransitionAnswer"];
            /**
             * Value
             * @example 801.20
             */
            value: string | null;
        };
        /**
         * VersionAnswer
         * @description What holds from one instant up to another.
         */
        VersionAnswer: {
            /**
             * Effective From
             * @description Null: from the beginning.
             */
            effective_from: string | null;
            /**
             * Effective To
             * @description Exclusive; null: until another is applied.
             */
            effective_to: string | null;
            /** In Force */
            in_force: boolean;
            /**
             * Terms
             * @description As the billing file writes them, without those at their default.
             * @example {
             *       "currency": "USD",
             *       "model": "per_unit",
             *       "unit_price": "0.0008"
             *     }
             */
            terms: {
                [key: string]: string;
            };
        };
        /**
         * Violation
         * @description One value of a request that does not fit.
         */
        Violation: {
            /**
             * Allowed
             * @description What would, where that is a list of values.
             * @default null
             */
            allowed: string | null;
            /**
             * Location
             * @description Where it was sent, dotted.
             * @example body.scopes.0
             */
            location: string;
            /**
             * Message
             * @description Why it does not fit.
             */
            message: string;
        };
        /**
         * VoidStatementRequest
         * @description Why a statement is taken out of the books.
         * @example {
         *       "reason": "closed on a wrong plan"
         *     }
         */
        VoidStatementRequest: {
            /** Reason */
            reason: string;
        };
        /**
         * WaitingAnswer
         * @description How many letters wait for one reason.
         */
        WaitingAnswer: {
            /**
             * Code
             * @example unit_mismatch
             */
            code: string;
            kind: components["schemas"]["tallystick__metering__dead_letters__models__Kind"];
            /** Letters */
            letters: number;
            /**
             * Seen
             * @description How often they came.
             */
            seen: number;
        };
        /**
         * WhenUnavailable
         * @description What a check answers while usage can't be read: `open` allows, `closed` refuses.
         * @enum {string}
         */
        WhenUnavailable: "open" | "closed";
        /**
         * WholeDeadLetterAnswer
         * @description A dead letter with every repair of it.
         */
        WholeDeadLetterAnswer: {
            /**
             * Attempt Code
             * @description Why the latest replay was rejected.
             */
            attempt_code: string | null;
            /** Attempt Message */
            attempt_message: string | null;
            /** Attempted At */
            attempted_at: string | null;
            /**
             * Attempts
             * @description How often a replay of it was rejected again.
             */
            attempts: number;
            /**
             * Body
             * @description As it was sent; bytes that are no UTF-8 are shown as \x…. A listing has the first 20,000 bytes.
             */
            body: string;
            /**
             * Code
             * @example unknown_team
             */
            code: string;
            /** Discard Reason */
            discard_reason: string | null;
            /** Discarded At */
            discarded_at: string | null;
            /** Discarded By */
            discarded_by: string | null;
            /**
             * Edited
             * @description The event as it was edited last, which is what a replay sends.
             */
            edited: string | null;
            /**
             * Edits
             * @description How often it was edited.
             */
            edits: number;
            /** Field */
            field: string | null;
            /**
             * Format
             * @description How the body is read: `event`, unless it came by another door.
             * @example event
             */
            format: string;
            /** History */
            history: components["schemas"]["EditAnswer"][];
            /** Id */
            id: number;
            /** Idempotency Key */
            idempotency_key: string | null;
            /** @description The class of the reason. */
            kind: components["schemas"]["tallystick__metering__dead_letters__models__Kind"];
            /**
             * Last Seen At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            last_seen_at: string;
            /** Message */
            message: string;
            /**
             * Occurred At
             * Format: date-time
             * @description When the event says that it happened, else when it first came.
             * @example 2026-03-15T12:00:00Z
             */
            occurred_at: string;
            /**
             * Received At
             * Format: date-time
             * @example 2026-03-15T12:00:00Z
             */
            received_at: string;
            /**
             * Remedy
             * @description What helps.
             */
            remedy: string;
            /**
             * Replayed As
             * @description The event's id.
             */
            replayed_as: string | null;
            /** Replayed At */
            replayed_at: string | null;
            /**
             * Replayed By
             * @example key:7Q2M4KX0TB
             */
            replayed_by: string | null;
            /**
             * Seen
             * @description How often it came.
             */
            seen: number;
            /**
             * Size
             * @description Bytes of the whole body.
             */
            size: number;
            /** @description `waiting`, `replayed` (its event is stored) or `discarded`. */
            state: components["schemas"]["tallystick__metering__dead_letters__models__State"];
            /** Team Id */
            team_id: string | null;
        };
        /**
         * Window
         * @description The size of one step of a usage series, in the local time of a zone.
         * @enum {string}
         */
        Window: "minute" | "hour" | "day" | "month";
        /**
         * StepAnswer
         * @description A limit of an alert.
         */
        tallystick__alerts__answers__StepAnswer: {
            action: components["schemas"]["ActionAnswer"];
            /**
             * Id
             * @example 34
             */
            id: number;
            /**
             * Limit
             * Format: decimal
             * @description What is compared with.
             * @example 800
             */
            limit: string;
            /**
             * Percent
             * @description Of the threshold.
             * @example 80
             */
            percent: string | null;
            type: components["schemas"]["StepType"];
            /**
             * Value
             * @description Instead of a percentage.
             */
            value: string | null;
        };
        /**
         * Kind
         * @description What an alert watches.
         *
         *     `usage`: of a metric, in the billing period. `cost`: what the open statement comes to before credits, or what of
         *     it is about one metric. `projected_usage`, `projected_cost`: the same at the period's end, at the pace so far.
         *     `credit_balance`: what is left of credits once the open statement is paid. `rate`: how many percent more (or,
         *     below zero, less) is used in an hour than in the same hour of past weeks. `absence`: minutes without an event.
         * @enum {string}
         */
        tallystick__alerts__models__Kind: "usage" | "cost" | "projected_usage" | "projected_cost" | "credit_balance" | "rate" | "absence";
        /**
         * State
         * @description How a step stands in a period; of an alert, how the worst of its steps does.
         *
         *     `warning`: a step short of the alert's threshold is crossed. `exceeded`: one at the threshold or beyond is.
         *     `resolved`: one was, in this period, and is no longer.
         * @enum {string}
         */
        tallystick__alerts__models__State: "ok" | "warning" | "exceeded" | "resolved";
        /**
         * ConversionAnswer
         * @description A total in the currency that the team is billed in.
         */
        tallystick__billing__answers__ConversionAnswer: {
            /**
             * Currency
             * @example EUR
             */
            currency: string;
            /**
             * Rate
             * Format: decimal
             * @description How much of it one unit of the price's currency is worth.
             * @example 0.92
             */
            rate: string;
            /**
             * Rate Date
             * Format: date
             */
            rate_date: string;
            /**
             * Source
             * @example ecb
             */
            source: string;
            /**
             * Total
             * Format: decimal
             * @description In the billing currency, rounded to it.
             * @example 130.00
             */
            total: string;
        };
        /**
         * StepAnswer
         * @description One of the steps that made an amount; the steps' amounts add up to it.
         */
        tallystick__billing__answers__StepAnswer: {
            /**
             * Amount
             * Format: decimal
             * @example 0.0008
             */
            amount: string;
            /**
             * End
             * @description … up to and including this; null in the last tier.
             */
            end: string | null;
            /**
             * Kind
             * @example tier
             */
            kind: string;
            /**
             * Label
             * @description What the step is about: a rate of a matrix, a filter, a discount.
             */
            label: string | null;
            /**
             * Quantity
             * Format: decimal
             * @example 0.0008
             */
            quantity: string;
            /**
             * Setting
             * @description The number of the price that the step applies, such as the free units.
             */
            setting: string | null;
            /**
             * Start
             * @description The tier prices usage above this …
             */
            start: string | null;
            /**
             * Tier
             * @description Position of the tier, from 0.
             */
            tier: number | null;
            /** Unit Price */
            unit_price: string | null;
        };
        /**
         * VoidRequest
         * @description Why a grant is voided.
         * @example {
         *       "reason": "the order was cancelled"
         *     }
         */
        tallystick__billing__credits__routes__VoidRequest: {
            /** Reason */
            reason: string;
        };
        /**
         * ConversionAnswer
         * @description An amount in two currencies, and why it is that much.
         */
        tallystick__billing__currencies__routes__ConversionAnswer: {
            /**
             * Converted
             * Format: decimal
             * @description original × rate, rounded half away from zero to the currency's minor unit.
             * @example 0.0008
             */
            converted: string;
            /**
             * Currency
             * @example EUR
             */
            currency: string;
            /**
             * Original
             * Format: decimal
             * @example 0.0008
             */
            original: string;
            /**
             * Original Currency
             * @example USD
             */
            original_currency: string;
            /**
             * Rate
             * Format: decimal
             * @example 0.0008
             */
            rate: string;
            /**
             * Rate Date
             * Format: date
             */
            rate_date: string;
            /**
             * Source
             * @example ecb
             */
            source: string;
        };
        /**
         * Format
         * @description What a document can be written as.
         * @enum {string}
         */
        tallystick__billing__invoices__models__Format: "json" | "csv" | "html" | "pdf";
        /**
         * Kind
         * @description What a document is: a demand for payment, or a promise to pay back.
         * @enum {string}
         */
        tallystick__billing__invoices__models__Kind: "invoice" | "credit_note";
        /**
         * Status
         * @description Where a document stands. From `final` on what it says never changes; it can be paid, or taken back.
         * @enum {string}
         */
        tallystick__billing__invoices__models__Status: "draft" | "final" | "paid" | "void";
        /**
         * VoidRequest
         * @description Why a document is taken back.
         * @example {
         *       "reason": "Wrong address"
         *     }
         */
        tallystick__billing__invoices__routes__VoidRequest: {
            /**
             * Reason
             * @description Stands on the credit note.
             */
            reason: string;
        };
        /**
         * Format
         * @description How a report is written.
         * @enum {string}
         */
        tallystick__billing__routes__Format: "json" | "csv";
        /**
         * Status
         * @description Where a statement stands: open, being closed, closed, on an invoice, paid; or void.
         * @enum {string}
         */
        tallystick__billing__statements__models__Status: "active" | "closing" | "closed" | "invoiced" | "paid" | "void";
        /**
         * Status
         * @description How a subscription stands at a moment.
         * @enum {string}
         */
        tallystick__billing__teams__models__Status: "upcoming" | "trial" | "active" | "paused" | "ended";
        /**
         * Kind
         * @description Reasons by class: what has to happen before the event can count.
         * @enum {string}
         */
        tallystick__metering__dead_letters__models__Kind: "malformed" | "untimely" | "catalogue" | "conflict" | "forbidden" | "unstorable";
        /**
         * State
         * @description What became of a letter.
         * @enum {string}
         */
        tallystick__metering__dead_letters__models__State: "waiting" | "replayed" | "discarded";
        /**
         * Format
         * @description How the file is written.
         * @enum {string}
         */
        tallystick__metering__export__Format: "csv" | "ndjson";
        /**
         * VoidRequest
         * @description Why an event is voided.
         * @example {
         *       "reason": "sent by a test run"
         *     }
         */
        tallystick__metering__routes__VoidRequest: {
            /** Reason */
            reason: string;
        };
        /**
         * RotationRequest
         * @description How a secret is changed.
         */
        tallystick__notifications__answers__RotationRequest: {
            /**
             * Overlap Hours
             * @description How long messages are signed with the old secret, too.
             * @default 24
             */
            overlap_hours: number;
        };
        /**
         * State
         * @description How a delivery stands.
         * @enum {string}
         */
        tallystick__notifications__models__State: "pending" | "held" | "sent" | "parked" | "merged";
        /**
         * RotationRequest
         * @description How to change keys.
         * @example {
         *       "revoke": false
         *     }
         */
        tallystick__portal__routes__RotationRequest: {
            /**
             * Revoke
             * @description Refuse every token that was given out before. Else they are good until they expire.
             * @default false
             */
            revoke: boolean;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    close_periods: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CloseRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CloseAnswer"];
                };
            };
        };
    };
    list_credit_grants: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Default: every team's, or the key's. */
                team_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_GrantAnswer_"];
                };
            };
        };
    };
    grant_credits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GrantRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantAnswer"];
                };
            };
        };
    };
    credit_balance: {
        parameters: {
            query?: {
                /** @description May be left out with a key for one team. */
                team_id?: string | null;
                /** @description Default: now. */
                at?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamBalanceAnswer"];
                };
            };
        };
    };
    credit_ledger: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description May be left out with a key for one team. */
                team_id?: string | null;
                /** @description Of this grant alone. */
                grant_id?: number | null;
                /** @description What paid this billing period, alone. */
                period_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TransactionAnswer_"];
                };
            };
        };
    };
    get_credit_grant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantAnswer"];
                };
            };
        };
    };
    void_credit_grant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grant_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["tallystick__billing__credits__routes__VoidRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantAnswer"];
                };
            };
        };
    };
    list_invoices: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Default: every team, or the key's one. */
                team_id?: string | null;
                status?: components["schemas"]["tallystick__billing__invoices__models__Status"] | null;
                kind?: components["schemas"]["tallystick__billing__invoices__models__Kind"] | null;
                number?: string | null;
                statement_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_InvoiceSummary_"];
                };
            };
        };
    };
    draft_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DraftRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    get_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    discard_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    credit_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreditNoteRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    get_invoice_document: {
        parameters: {
            query?: {
                /** @description json and csv hold every digit. */
                format?: components["schemas"]["tallystick__billing__invoices__models__Format"];
                /** @description In which language and region PDF and HTML are. Default: the document's own. */
                locale?: string | null;
            };
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                    "application/pdf": string;
                    "text/csv": string;
                    "text/html": string;
                };
            };
        };
    };
    finalize_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    pay_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PaymentRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    void_invoice: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                invoice_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["tallystick__billing__invoices__routes__VoidRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InvoiceAnswer"];
                };
            };
        };
    };
    explain_events: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                /** @description The `id` of a line of a closed statement. */
                line_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplainedEvents"];
                };
            };
        };
    };
    explain_line: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The `id` of a line of a closed statement. */
                line_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplanationAnswer"];
                };
            };
        };
    };
    list_periods: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Of this team. */
                team_id?: string | null;
                status?: components["schemas"]["tallystick__billing__statements__models__Status"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_PeriodAnswer_"];
                };
            };
        };
    };
    preview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreviewRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreviewAnswer"];
                };
            };
        };
    };
    get_invoice_recipient: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecipientAnswer"];
                };
            };
        };
    };
    set_invoice_recipient: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecipientRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RecipientAnswer"];
                };
            };
        };
    };
    current_statement: {
        parameters: {
            query?: {
                /** @description May be left out with a key for one team. */
                team_id?: string | null;
                /** @description As it was at this past moment: nothing recorded later is in it. */
                known_at?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatementAnswer"];
                };
            };
        };
    };
    closed_statement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                period_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClosedStatementAnswer"];
                };
            };
        };
    };
    verify_statement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                period_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerificationAnswer"];
                };
            };
        };
    };
    void_statement: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                period_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VoidStatementRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeriodAnswer"];
                };
            };
        };
    };
    get_catalogue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CatalogueAnswer"];
                };
            };
        };
    };
    list_exchange_rate_sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourcesAnswer"];
                };
            };
        };
    };
    convert_amount: {
        parameters: {
            query: {
                /** @description What is converted. */
                base: string;
                /** @description What it becomes. */
                quote: string;
                /** @description An exact decimal number. */
                amount: string;
                /** @description The day whose rate counts. Default: today. */
                on?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["tallystick__billing__currencies__routes__ConversionAnswer"];
                };
            };
        };
    };
    exchange_rates: {
        parameters: {
            query: {
                /** @description What is converted. */
                base: string;
                /** @description What it becomes. */
                quote: string;
                /** @description The first day. Default: `to`, else today. */
                from?: string | null;
                /** @description The last day, included. Default: `from`. */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RatesAnswer"];
                };
            };
        };
    };
    upload_exchange_rates: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                table: string;
            };
            cookie?: never;
        };
        /** @description One rate a line, or the European Central Bank's own shape: Date and a column per currency. */
        requestBody: {
            content: {
                /**
                 * @example date,base,quote,rate
                 *     2026-03-31,USD,EUR,0.9012
                 */
                "text/csv": string;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadAnswer"];
                };
            };
        };
    };
    list_keys: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_KeyAnswer_"];
                };
            };
        };
    };
    create_key: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKeyAnswer"];
                };
            };
        };
    };
    revoke_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The public part of the key. */
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    live_usage: {
        parameters: {
            query?: {
                /** @description Whose usage to show. May be left out with a key for one team. Default: all teams. */
                team_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description `hello`, then `usage`, `touched` and `alert` as they come; `goodbye` before the server ends the stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
        };
    };
    list_channels: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ChannelAnswer_"];
                };
            };
        };
    };
    create_channel: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewChannelAnswer"];
                };
            };
        };
    };
    get_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The channel's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelAnswer"];
                };
            };
        };
    };
    remove_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The channel's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The channel's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelAnswer"];
                };
            };
        };
    };
    rotate_secret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The channel's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["tallystick__notifications__answers__RotationRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RotationAnswer"];
                };
            };
        };
    };
    send_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The channel's name. */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SentTest"];
                };
            };
        };
    };
    list_deliveries: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Those that stand like this. */
                state?: components["schemas"]["tallystick__notifications__models__State"] | null;
                /** @description Those to this channel. */
                channel?: string | null;
                /** @description Those about this team. */
                team_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_DeliveryAnswer_"];
                };
            };
        };
    };
    get_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The delivery's number. */
                delivery_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryAnswer"];
                };
            };
        };
    };
    replay_delivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The delivery's number. */
                delivery_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeliveryAnswer"];
                };
            };
        };
    };
    get_preferences: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The team's id. */
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreferencesModel"];
                };
            };
        };
    };
    put_preferences: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The team's id. */
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PreferencesModel"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PreferencesModel"];
                };
            };
        };
    };
    get_overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverviewAnswer"];
                };
            };
        };
    };
    list_portal_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SigningKeysAnswer"];
                };
            };
        };
    };
    rotate_portal_keys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["tallystick__portal__routes__RotationRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SigningKeysAnswer"];
                };
            };
        };
    };
    revoke_portal_key: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                key_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    list_portal_tokens: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Default: every team's. */
                team_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TokenAnswer_"];
                };
            };
        };
    };
    create_portal_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewTokenAnswer"];
                };
            };
        };
    };
    revoke_portal_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                token_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    get_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionAnswer"];
                };
            };
        };
    };
    list_teams: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TeamAnswer_"];
                };
            };
        };
    };
    create_team: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TeamRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamAnswer"];
                };
            };
        };
    };
    get_team: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamAnswer"];
                };
            };
        };
    };
    update_team: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TeamPatch"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamAnswer"];
                };
            };
        };
    };
    list_subscriptions: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SubscriptionAnswer_"];
                };
            };
        };
    };
    subscribe_team: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SubscriptionRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    cancel_subscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CancelAnswer"];
                };
            };
        };
    };
    change_plan: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    keep_subscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    pause_subscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PauseRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    resume_subscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ResumeRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    set_trial: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrialRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SubscriptionAnswer"];
                };
            };
        };
    };
    end_subscription: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                team_id: string;
                subscription_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    aggregate_usage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AggregateRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AggregateAnswer"];
                };
            };
        };
    };
    list_alerts: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description About this team: its own, those of its plan, and those of all teams. Default: every alert. */
                team_id?: string | null;
                kind?: components["schemas"]["tallystick__alerts__models__Kind"] | null;
                metric?: string | null;
                active?: boolean | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AlertAnswer_"];
                };
            };
        };
    };
    create_alert: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertAnswer"];
                };
            };
        };
    };
    alert_history: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Default: every team's, or the key's. */
                team_id?: string | null;
                /** @description Of this alert alone. */
                alert_id?: number | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_TransitionAnswer_"];
                };
            };
        };
    };
    verify_alert_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                entry_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerifiedAnswer"];
                };
            };
        };
    };
    alert_status: {
        parameters: {
            query?: {
                /** @description May be left out with a key for one team. */
                team_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StatusesAnswer"];
                };
            };
        };
    };
    get_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alert_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertAnswer"];
                };
            };
        };
    };
    delete_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alert_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_alert: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alert_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AlertChanges"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AlertAnswer"];
                };
            };
        };
    };
    send_alert_test: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                alert_id: number;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AlertTestRequest"] | null;
            };
        };
        responses: {
            /** @description Successful Response */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TestedAnswer"];
                };
            };
        };
    };
    check_usage_by_status: {
        parameters: {
            query: {
                team_id: string;
                metric: string;
                quantity?: string;
                /** @description The status of a refusal: nginx's auth_request takes 401 and 403 alone. */
                deny?: "429" | "403" | "401";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Allowed. */
            200: {
                headers: {
                    /** @description What is left, and for how many seconds. */
                    RateLimit?: string;
                    /** @description The limit and its window in seconds, as the IETF drafts it. */
                    "RateLimit-Policy"?: string;
                    /** @description Of a refusal that ends by itself: in how many seconds. */
                    "Retry-After"?: number;
                    /** @description The limit; 0 of a team that is throttled and has none. */
                    "X-RateLimit-Limit"?: number;
                    /** @description The `reason`, where there is one. */
                    "X-RateLimit-Reason"?: string;
                    /** @description What is left of it; 0 while the team is throttled. */
                    "X-RateLimit-Remaining"?: number;
                    /** @description When it starts over, or the throttle ends, in Unix seconds. */
                    "X-RateLimit-Reset"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        allowed: boolean;
                        /**
                         * Format: decimal
                         * @description The hard limit, else the soft one; null: there is none.
                         */
                        limit: string | null;
                        /** @example api_calls */
                        metric: string;
                        /** Format: decimal */
                        quantity: string;
                        /**
                         * @description Why not, or what is the matter in spite of it. `unavailable`: usage could not be read, and the metric's policy decided.
                         * @enum {string|null}
                         */
                        reason: "throttled" | "hard_limit" | "soft_limit" | "unavailable" | null;
                        /**
                         * Format: decimal
                         * @description What is left of the limit before this; null: there is no limit.
                         */
                        remaining: string | null;
                        /**
                         * Format: decimal
                         * @description What reservations keep free.
                         */
                        reserved?: string | null;
                        /**
                         * Format: date-time
                         * @description When the billing period ends.
                         */
                        resets_at: string | null;
                        /**
                         * Format: date-time
                         * @description When a refusal ends by itself; null: not foreseeable.
                         */
                        retry_at?: string | null;
                        /** @example acme */
                        team_id: string;
                        /** @enum {string|null} */
                        type?: "hard" | "soft" | null;
                        /**
                         * Format: decimal
                         * @description The usage in the period.
                         */
                        used?: string | null;
                    };
                };
            };
        };
    };
    check_usage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @example api_calls */
                    metric: string;
                    /**
                     * @description How much is about to be used, in the metric's unit, exact. 0 asks whether the limit is passed.
                     * @default 1
                     */
                    quantity?: number | string;
                    /** @example acme */
                    team_id: string;
                };
            };
        };
        responses: {
            /** @description Allowed or not. */
            200: {
                headers: {
                    /** @description What is left, and for how many seconds. */
                    RateLimit?: string;
                    /** @description The limit and its window in seconds, as the IETF drafts it. */
                    "RateLimit-Policy"?: string;
                    /** @description Of a refusal that ends by itself: in how many seconds. */
                    "Retry-After"?: number;
                    /** @description The limit; 0 of a team that is throttled and has none. */
                    "X-RateLimit-Limit"?: number;
                    /** @description The `reason`, where there is one. */
                    "X-RateLimit-Reason"?: string;
                    /** @description What is left of it; 0 while the team is throttled. */
                    "X-RateLimit-Remaining"?: number;
                    /** @description When it starts over, or the throttle ends, in Unix seconds. */
                    "X-RateLimit-Reset"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        allowed: boolean;
                        /**
                         * Format: decimal
                         * @description The hard limit, else the soft one; null: there is none.
                         */
                        limit: string | null;
                        /** @example api_calls */
                        metric: string;
                        /** Format: decimal */
                        quantity: string;
                        /**
                         * @description Why not, or what is the matter in spite of it. `unavailable`: usage could not be read, and the metric's policy decided.
                         * @enum {string|null}
                         */
                        reason: "throttled" | "hard_limit" | "soft_limit" | "unavailable" | null;
                        /**
                         * Format: decimal
                         * @description What is left of the limit before this; null: there is no limit.
                         */
                        remaining: string | null;
                        /**
                         * Format: decimal
                         * @description What reservations keep free.
                         */
                        reserved?: string | null;
                        /**
                         * Format: date-time
                         * @description When the billing period ends.
                         */
                        resets_at: string | null;
                        /**
                         * Format: date-time
                         * @description When a refusal ends by itself; null: not foreseeable.
                         */
                        retry_at?: string | null;
                        /** @example acme */
                        team_id: string;
                        /** @enum {string|null} */
                        type?: "hard" | "soft" | null;
                        /**
                         * Format: decimal
                         * @description The usage in the period.
                         */
                        used?: string | null;
                    };
                };
            };
        };
    };
    list_dead_letters: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                team_id?: string | null;
                /** @description Rejected for this reason. */
                code?: string | null;
                /** @description Rejected for a reason of this class. */
                kind?: components["schemas"]["tallystick__metering__dead_letters__models__Kind"] | null;
                /** @description What became of them. */
                state?: components["schemas"]["tallystick__metering__dead_letters__models__State"] | null;
                /** @description Happened at this instant or later (RFC 3339). */
                from?: string | null;
                /** @description Happened before this instant (RFC 3339). */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
        };
    };
    discard_dead_letters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DiscardManyRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DiscardAnswer"];
                };
            };
        };
    };
    replay_dead_letters: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReplayManyRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplaysAnswer"];
                };
            };
        };
    };
    get_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WholeDeadLetterAnswer"];
                };
            };
        };
    };
    delete_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    edit_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["EditRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterAnswer"];
                };
            };
        };
    };
    discard_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DiscardRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterAnswer"];
                };
            };
        };
    };
    replay_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RepairRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReplayAnswer"];
                };
            };
        };
    };
    restore_dead_letter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                letter_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetterAnswer"];
                };
            };
        };
    };
    list_events: {
        parameters: {
            query?: {
                /** @description Of this team. */
                team_id?: string | null;
                event_name?: string | null;
                event_type?: string | null;
                user_id?: string | null;
                /** @description That this metric counts. */
                metric?: string | null;
                idempotency_key?: string | null;
                /** @description Happened at this instant or later (RFC 3339). */
                from?: string | null;
                /** @description Happened before this instant (RFC 3339). */
                to?: string | null;
                /** @description `key=value` that the metadata must have; may be repeated. */
                metadata?: string[];
                /** @description true: voided or amended ones alone; false: those in force. */
                corrected?: boolean | null;
                /** @description With this text in the name, type, user, idempotency key or metadata, in upper or lower case. */
                search?: string | null;
                /** @description By when they happened (with `team_id` alone) or were recorded; `-`: the newest first. Default: the newest first, by `occurred_at` with `team_id` and by `recorded_at` without. */
                sort?: ("-occurred_at" | "occurred_at" | "-recorded_at" | "recorded_at") | null;
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPageAnswer"];
                };
            };
        };
    };
    export_events: {
        parameters: {
            query?: {
                /** @description Of this team. */
                team_id?: string | null;
                event_name?: string | null;
                event_type?: string | null;
                user_id?: string | null;
                /** @description That this metric counts. */
                metric?: string | null;
                idempotency_key?: string | null;
                /** @description Happened at this instant or later (RFC 3339). */
                from?: string | null;
                /** @description Happened before this instant (RFC 3339). */
                to?: string | null;
                /** @description `key=value` that the metadata must have; may be repeated. */
                metadata?: string[];
                /** @description true: voided or amended ones alone; false: those in force. */
                corrected?: boolean | null;
                /** @description With this text in the name, type, user, idempotency key or metadata, in upper or lower case. */
                search?: string | null;
                /** @description By when they happened (with `team_id` alone) or were recorded; `-`: the newest first. Default: the newest first, by `occurred_at` with `team_id` and by `recorded_at` without. */
                sort?: ("-occurred_at" | "occurred_at" | "-recorded_at" | "recorded_at") | null;
                format?: components["schemas"]["tallystick__metering__export__Format"];
                /** @description What of each event; may be repeated. Default: everything. */
                columns?: components["schemas"]["Column"][];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
        };
    };
    get_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event's id, or that of the event it replaced. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventAnswer"];
                };
            };
        };
    };
    amend_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event's id, or that of the event it replaced. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AmendRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorrectionAnswer"];
                };
            };
        };
    };
    trace_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event's id, or that of the event it replaced. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceAnswer"];
                };
            };
        };
    };
    void_event: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The event's id, or that of the event it replaced. */
                event_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["tallystick__metering__routes__VoidRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CorrectionAnswer"];
                };
            };
        };
    };
    list_limits: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Of this team itself. */
                team_id?: string | null;
                /** @description Of this plan. */
                plan?: string | null;
                /** @description For this metric. */
                metric?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_LimitAnswer_"];
                };
            };
        };
    };
    put_limit: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitAnswer"];
                };
            };
        };
    };
    list_policies: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PoliciesAnswer"];
                };
            };
        };
    };
    put_policy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                metric: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PolicyRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PolicyAnswer"];
                };
            };
        };
    };
    get_limit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                limit_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitAnswer"];
                };
            };
        };
    };
    remove_limit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                limit_id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    usage_report: {
        parameters: {
            query?: {
                /** @description May be left out with a key for one team. */
                team_id?: string | null;
                /** @description By name, repeatable; default: all that have the dimensions of `group_by`. */
                metric?: string[];
                /** @description Where the history begins: an RFC 3339 instant, or a date, which begins at midnight in the team's zone. Default: the current period's start. */
                from?: string | null;
                /** @description Where it ends, exclusive. Default: the end of the window that is running. */
                to?: string | null;
                /** @description The size of one step, in the team's local time. */
                window?: components["schemas"]["Window"];
                /** @description Dimensions to keep apart, repeatable. */
                group_by?: string[];
                /** @description Which billing period usage so far, cost and projection are about: `current`, or a month, date or instant that it holds. */
                period?: string;
                /** @description Default: what `Accept` asks for, else JSON. */
                format?: components["schemas"]["tallystick__billing__routes__Format"] | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportAnswer"];
                    /**
                     * @example team_id,metric,unit,window_start,window_end,usage,events,unvalued
                     *     acme,api_calls,call,2026-03-08T00:00:00-05:00,2026-03-09T00:00:00-04:00,1500,1500,0
                     */
                    "text/csv": unknown;
                };
            };
        };
    };
    list_reservations: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Default: every team's, or the key's. */
                team_id?: string | null;
                /** @description For this metric. */
                metric?: string | null;
                /** @description Only those that keep something free. */
                waiting?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ReservationAnswer_"];
                };
            };
        };
    };
    reserve_usage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Seconds after which it is given back unless it is committed.
                     * @default 60
                     */
                    expires_in?: number;
                    /** @description Of the events that will carry the usage, if you track them yourself. */
                    idempotency_keys?: string[];
                    /** @example api_calls */
                    metric: string;
                    /**
                     * @description How much to keep free, above zero.
                     * @default 1
                     */
                    quantity?: number | string;
                    /** @description A key of your own, unique in the team: sent again, it is answered with the same reservation. */
                    reference?: string | null;
                    /** @example acme */
                    team_id: string;
                };
            };
        };
        responses: {
            /** @description Refused, or allowed without a reservation while the database is away. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Reserved, now or before under the same reference. */
            201: {
                headers: {
                    /** @description What is left, and for how many seconds. */
                    RateLimit?: string;
                    /** @description The limit and its window in seconds, as the IETF drafts it. */
                    "RateLimit-Policy"?: string;
                    /** @description Of a refusal that ends by itself: in how many seconds. */
                    "Retry-After"?: number;
                    /** @description The limit; 0 of a team that is throttled and has none. */
                    "X-RateLimit-Limit"?: number;
                    /** @description The `reason`, where there is one. */
                    "X-RateLimit-Reason"?: string;
                    /** @description What is left of it; 0 while the team is throttled. */
                    "X-RateLimit-Remaining"?: number;
                    /** @description When it starts over, or the throttle ends, in Unix seconds. */
                    "X-RateLimit-Reset"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        allowed: boolean;
                        /**
                         * Format: decimal
                         * @description The hard limit, else the soft one; null: there is none.
                         */
                        limit: string | null;
                        /** @example api_calls */
                        metric: string;
                        /** Format: decimal */
                        quantity: string;
                        /**
                         * @description Why not, or what is the matter in spite of it. `unavailable`: usage could not be read, and the metric's policy decided.
                         * @enum {string|null}
                         */
                        reason: "throttled" | "hard_limit" | "soft_limit" | "unavailable" | null;
                        /**
                         * Format: decimal
                         * @description What is left of the limit before this; null: there is no limit.
                         */
                        remaining: string | null;
                        /** @description See `GET`. */
                        reservation?: Record<string, never> | null;
                        /**
                         * Format: decimal
                         * @description What reservations keep free.
                         */
                        reserved?: string | null;
                        /**
                         * Format: date-time
                         * @description When the billing period ends.
                         */
                        resets_at: string | null;
                        /**
                         * Format: date-time
                         * @description When a refusal ends by itself; null: not foreseeable.
                         */
                        retry_at?: string | null;
                        /** @example acme */
                        team_id: string;
                        /** @enum {string|null} */
                        type?: "hard" | "soft" | null;
                        /**
                         * Format: decimal
                         * @description The usage in the period.
                         */
                        used?: string | null;
                    };
                };
            };
        };
    };
    get_reservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                reservation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReservationAnswer"];
                };
            };
        };
    };
    commit_reservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                reservation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    events?: {
                        /** @description What happened. */
                        event_name: string;
                        event_type?: string | null;
                        /** @description With the team, the event's identity for ever. Made and returned when absent. */
                        idempotency_key?: string | null;
                        /** @description Anything else to count or group by: at most 50 keys, 16384 bytes. */
                        metadata?: Record<string, never> | null;
                        /**
                         * @description How much: below 10^20 in absolute value, at most 18 decimals, exact. Negative only where a metric of the event allows it.
                         * @default 1
                         */
                        quantity?: number | string;
                        /** @description The customer who is billed. */
                        team_id?: string;
                        /**
                         * Format: date-time
                         * @description When it happened (RFC 3339 with offset); default: now; at most an hour ahead.
                         */
                        timestamp?: string | null;
                        /** @description Checked against the metric's unit. */
                        unit?: string | null;
                        user_id?: string | null;
                    }[];
                    idempotency_keys?: string[];
                };
            };
        };
        responses: {
            /** @description Committed; with events, what became of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Events stored by this request; they are durable. */
                        accepted?: number;
                        /** @description Events that were stored before, by the same identity. */
                        duplicates?: number;
                        /** @description Why events were rejected; also `conflict`: a duplicate with other content. */
                        errors?: {
                            code?: string;
                            field?: string | null;
                            /** @description Place of the event in the request, from 0. */
                            index?: number;
                            message?: string;
                        }[];
                        /** @description The keys that were made for events without one. */
                        idempotency_keys?: {
                            idempotency_key?: string;
                            index?: number;
                        }[];
                        /** @description Events that were not taken; each is in `errors`. */
                        rejected?: number;
                        reservation: Record<string, never>;
                    };
                };
            };
        };
    };
    release_reservation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                reservation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReservationAnswer"];
                };
            };
        };
    };
    list_throttles: {
        parameters: {
            query?: {
                /** @description Default: every team's, or the key's. */
                team_id?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThrottlesAnswer"];
                };
            };
        };
    };
    put_throttle: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ThrottleRequest"];
            };
        };
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThrottlesAnswer"];
                };
            };
        };
    };
    end_throttle: {
        parameters: {
            query: {
                team_id: string;
                /** @description As it was given. */
                metric?: string | null;
                /** @description As it was given. */
                cause?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ThrottlesAnswer"];
                };
            };
        };
    };
    track_usage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description What happened. */
                    event_name: string;
                    event_type?: string | null;
                    /** @description With the team, the event's identity for ever. Made and returned when absent. */
                    idempotency_key?: string | null;
                    /** @description Anything else to count or group by: at most 50 keys, 16384 bytes. */
                    metadata?: Record<string, never> | null;
                    /**
                     * @description How much: below 10^20 in absolute value, at most 18 decimals, exact. Negative only where a metric of the event allows it.
                     * @default 1
                     */
                    quantity?: number | string;
                    /** @description The customer who is billed. */
                    team_id: string;
                    /**
                     * Format: date-time
                     * @description When it happened (RFC 3339 with offset); default: now; at most an hour ahead.
                     */
                    timestamp?: string | null;
                    /** @description Checked against the metric's unit. */
                    unit?: string | null;
                    user_id?: string | null;
                } | {
                    /** @description What happened. */
                    event_name: string;
                    event_type?: string | null;
                    /** @description With the team, the event's identity for ever. Made and returned when absent. */
                    idempotency_key?: string | null;
                    /** @description Anything else to count or group by: at most 50 keys, 16384 bytes. */
                    metadata?: Record<string, never> | null;
                    /**
                     * @description How much: below 10^20 in absolute value, at most 18 decimals, exact. Negative only where a metric of the event allows it.
                     * @default 1
                     */
                    quantity?: number | string;
                    /** @description The customer who is billed. */
                    team_id: string;
                    /**
                     * Format: date-time
                     * @description When it happened (RFC 3339 with offset); default: now; at most an hour ahead.
                     */
                    timestamp?: string | null;
                    /** @description Checked against the metric's unit. */
                    unit?: string | null;
                    user_id?: string | null;
                }[];
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description Stored. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description Events stored by this request; they are durable. */
                        accepted: number;
                        /** @description Events that were stored before, by the same identity. */
                        duplicates: number;
                        /** @description Why events were rejected; also `conflict`: a duplicate with other content. */
                        errors: {
                            code?: string;
                            field?: string | null;
                            /** @description Place of the event in the request, from 0. */
                            index?: number;
                            message?: string;
                        }[];
                        /** @description The keys that were made for events without one. */
                        idempotency_keys?: {
                            idempotency_key?: string;
                            index?: number;
                        }[];
                        /** @description Events that were not taken; each is in `errors`. */
                        rejected: number;
                    };
                };
            };
        };
    };
    count_unvalued: {
        parameters: {
            query?: {
                team_id?: string | null;
                /** @description Happened then or later. Default: 31 days ago. */
                from?: string | null;
                /** @description Happened before this instant (RFC 3339). */
                to?: string | null;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnvaluedPage"];
                };
            };
        };
    };
    list_unvalued: {
        parameters: {
            query?: {
                /** @description Most rows of one page. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: string | null;
                /** @description Whose. Needed unless the key is for one team. */
                team_id?: string | null;
                /** @description Happened then or later. Default: 31 days ago. */
                from?: string | null;
                /** @description Happened before this instant (RFC 3339). */
                to?: string | null;
            };
            header?: never;
            path: {
                metric: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_UnvaluedEventAnswer_"];
                };
            };
        };
    };
    ingest_events: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cloudevents+json": {
                    /** @description Becomes the metadata, which metrics read values and dimensions from. `quantity` in it, a number or decimal text, is the event's quantity; 1 without it. */
                    data?: Record<string, never> | null;
                    /**
                     * Format: byte
                     * @description `data` as encoded JSON.
                     */
                    data_base64?: string | null;
                    /** @example application/json */
                    datacontenttype?: string | null;
                    /** @description With `source`, the event's identity for ever. */
                    id: string;
                    source: string;
                    /** @constant */
                    specversion: "1.0";
                    /** @description The team. */
                    subject: string;
                    /**
                     * Format: date-time
                     * @description Default: now.
                     */
                    time?: string | null;
                    /** @description The event name. */
                    type: string;
                };
                "application/cloudevents-batch+json": {
                    /** @description Becomes the metadata, which metrics read values and dimensions from. `quantity` in it, a number or decimal text, is the event's quantity; 1 without it. */
                    data?: Record<string, never> | null;
                    /**
                     * Format: byte
                     * @description `data` as encoded JSON.
                     */
                    data_base64?: string | null;
                    /** @example application/json */
                    datacontenttype?: string | null;
                    /** @description With `source`, the event's identity for ever. */
                    id: string;
                    source: string;
                    /** @constant */
                    specversion: "1.0";
                    /** @description The team. */
                    subject: string;
                    /**
                     * Format: date-time
                     * @description Default: now.
                     */
                    time?: string | null;
                    /** @description The event name. */
                    type: string;
                }[];
                "application/json": {
                    /** @description Becomes the metadata, which metrics read values and dimensions from. `quantity` in it, a number or decimal text, is the event's quantity; 1 without it. */
                    data?: Record<string, never> | null;
                    /**
                     * Format: byte
                     * @description `data` as encoded JSON.
                     */
                    data_base64?: string | null;
                    /** @example application/json */
                    datacontenttype?: string | null;
                    /** @description With `source`, the event's identity for ever. */
                    id: string;
                    source: string;
                    /** @constant */
                    specversion: "1.0";
                    /** @description The team. */
                    subject: string;
                    /**
                     * Format: date-time
                     * @description Default: now.
                     */
                    time?: string | null;
                    /** @description The event name. */
                    type: string;
                } | {
                    /** @description Becomes the metadata, which metrics read values and dimensions from. `quantity` in it, a number or decimal text, is the event's quantity; 1 without it. */
                    data?: Record<string, never> | null;
                    /**
                     * Format: byte
                     * @description `data` as encoded JSON.
                     */
                    data_base64?: string | null;
                    /** @example application/json */
                    datacontenttype?: string | null;
                    /** @description With `source`, the event's identity for ever. */
                    id: string;
                    source: string;
                    /** @constant */
                    specversion: "1.0";
                    /** @description The team. */
                    subject: string;
                    /**
                     * Format: date-time
                     * @description Default: now.
                     */
                    time?: string | null;
                    /** @description The event name. */
                    type: string;
                }[] | {
                    /**
                     * @example {
                     *       "code": "storage",
                     *       "external_subscription_id": "acme",
                     *       "properties": {
                     *         "gb": 10
                     *       },
                     *       "timestamp": "1773576000.123",
                     *       "transaction_id": "0192f3a1"
                     *     }
                     */
                    event: {
                        /** @description The event name. */
                        code: string;
                        /** @description The team where the former is absent. */
                        external_customer_id?: string | null;
                        /** @description The team. */
                        external_subscription_id?: string | null;
                        /** @description A metadata key. */
                        precise_total_amount_cents?: number | string | null;
                        /** @description Becomes the metadata. */
                        properties?: Record<string, never> | null;
                        /** @description Unix seconds, with decimals down to the microsecond. Default: now. */
                        timestamp?: number | string | null;
                        /** @description The idempotency key. */
                        transaction_id: string;
                    };
                };
            };
        };
        responses: {
            /** @description Lago's event is stored. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * @example {
                         *       "code": "storage",
                         *       "external_subscription_id": "acme",
                         *       "properties": {
                         *         "gb": 10
                         *       },
                         *       "timestamp": "1773576000.123",
                         *       "transaction_id": "0192f3a1"
                         *     }
                         */
                        event: {
                            /** @description The event name. */
                            code: string;
                            /** @description The team where the former is absent. */
                            external_customer_id?: string | null;
                            /** @description The team. */
                            external_subscription_id?: string | null;
                            /** @description A metadata key. */
                            precise_total_amount_cents?: number | string | null;
                            /** @description Becomes the metadata. */
                            properties?: Record<string, never> | null;
                            /** @description Unix seconds, with decimals down to the microsecond. Default: now. */
                            timestamp?: number | string | null;
                            /** @description The idempotency key. */
                            transaction_id: string;
                        };
                    };
                };
            };
            /** @description Every CloudEvent is stored. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    ingest_event_batch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    events: {
                        /** @description The event name. */
                        code: string;
                        /** @description The team where the former is absent. */
                        external_customer_id?: string | null;
                        /** @description The team. */
                        external_subscription_id?: string | null;
                        /** @description A metadata key. */
                        precise_total_amount_cents?: number | string | null;
                        /** @description Becomes the metadata. */
                        properties?: Record<string, never> | null;
                        /** @description Unix seconds, with decimals down to the microsecond. Default: now. */
                        timestamp?: number | string | null;
                        /** @description The idempotency key. */
                        transaction_id: string;
                    }[];
                };
            };
        };
        responses: {
            /** @description Every event is stored. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        events: {
                            /** @description The event name. */
                            code: string;
                            /** @description The team where the former is absent. */
                            external_customer_id?: string | null;
                            /** @description The team. */
                            external_subscription_id?: string | null;
                            /** @description A metadata key. */
                            precise_total_amount_cents?: number | string | null;
                            /** @description Becomes the metadata. */
                            properties?: Record<string, never> | null;
                            /** @description Unix seconds, with decimals down to the microsecond. Default: now. */
                            timestamp?: number | string | null;
                            /** @description The idempotency key. */
                            transaction_id: string;
                        }[];
                    };
                };
            };
        };
    };
    list_meters: {
        parameters: {
            query?: {
                /** @description Which page; default: the first. */
                page?: number;
                /** @description Meters a page; default: all of them. */
                pageSize?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The meters. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example SUM */
                        aggregation: string;
                        /** Format: date-time */
                        createdAt: string;
                        eventType: string;
                        groupBy?: {
                            [key: string]: string;
                        };
                        id: string;
                        name?: string;
                        slug: string;
                        /** Format: date-time */
                        updatedAt: string;
                        /** @example $.duration_ms */
                        valueProperty?: string;
                    }[];
                };
            };
        };
    };
    get_meter: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a metric. */
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The meter. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @example SUM */
                        aggregation: string;
                        /** Format: date-time */
                        createdAt: string;
                        eventType: string;
                        groupBy?: {
                            [key: string]: string;
                        };
                        id: string;
                        name?: string;
                        slug: string;
                        /** Format: date-time */
                        updatedAt: string;
                        /** @example $.duration_ms */
                        valueProperty?: string;
                    };
                };
            };
        };
    };
    query_meter: {
        parameters: {
            query?: {
                /** @description Inclusive. Default: the minute of the first event. */
                from?: string;
                /** @description Exclusive. Default: the end of the minute of the last event. */
                to?: string;
                /** @description A row for each local window; default: one for the whole interval. */
                windowSize?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
                /** @description IANA zone in which windows are local; default: UTC. */
                windowTimeZone?: string;
                /** @description Of these teams alone, each by itself. */
                subject?: string[];
                /** @description Of these teams alone, each by itself, told as customerId. */
                filterCustomerId?: string[];
                /** @description Dimensions of the metric to keep apart; also `subject` and `customer_id`. */
                groupBy?: string[];
                /** @description `filterGroupBy[region]=eu`: events alone whose dimension has this value. */
                filterGroupBy?: {
                    [key: string]: string;
                };
                /** @description JSON such as `{"region": {"$in": ["eu", "us"]}}`. */
                advancedMeterGroupByFilters?: string;
                /** @description Without effect. */
                clientId?: string;
            };
            header?: never;
            path: {
                /** @description The name of a metric. */
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            /** @description The team, where customers are kept apart. */
                            customerId?: string;
                            groupBy: {
                                [key: string]: string | null;
                            };
                            /** @description The team, where teams are kept apart. */
                            subject: string | null;
                            /** @description Exact, as it is spelled. */
                            value: number;
                            /** Format: date-time */
                            windowEnd: string;
                            /** Format: date-time */
                            windowStart: string;
                        }[];
                        /** Format: date-time */
                        from?: string;
                        /** Format: date-time */
                        to?: string;
                        /** @enum {string} */
                        windowSize?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
                    };
                    "text/csv": string;
                };
            };
        };
    };
    query_meter_with_body: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of a metric. */
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    advancedMeterGroupByFilters?: {
                        [key: string]: Record<string, never>;
                    };
                    clientId?: string;
                    filterCustomerId?: string[];
                    filterGroupBy?: {
                        [key: string]: string[];
                    };
                    /** Format: date-time */
                    from?: string;
                    groupBy?: string[];
                    subject?: string[];
                    /** Format: date-time */
                    to?: string;
                    /** @enum {string} */
                    windowSize?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
                    windowTimeZone?: string;
                };
            };
        };
        responses: {
            /** @description The rows. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        data: {
                            /** @description The team, where customers are kept apart. */
                            customerId?: string;
                            groupBy: {
                                [key: string]: string | null;
                            };
                            /** @description The team, where teams are kept apart. */
                            subject: string | null;
                            /** @description Exact, as it is spelled. */
                            value: number;
                            /** Format: date-time */
                            windowEnd: string;
                            /** Format: date-time */
                            windowStart: string;
                        }[];
                        /** Format: date-time */
                        from?: string;
                        /** Format: date-time */
                        to?: string;
                        /** @enum {string} */
                        windowSize?: "MINUTE" | "HOUR" | "DAY" | "MONTH";
                    };
                    "text/csv": string;
                };
            };
        };
    };
    list_webhook_sources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TalliesAnswer"];
                };
            };
        };
    };
    receive_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example telephony */
                source: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
                "application/x-www-form-urlencoded": unknown;
            };
        };
        responses: {
            /** @description Stored, or kept. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accepted: number;
                        duplicates: number;
                        errors: Record<string, never>[];
                        /** @description Items that the source passes over. */
                        ignored: number;
                        /** @description Kept as dead letters. */
                        rejected: number;
                    };
                };
            };
        };
    };
    receive_stripe_webhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description Stored, now or before. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description It had not come before. */
                        new: boolean;
                    };
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
}
