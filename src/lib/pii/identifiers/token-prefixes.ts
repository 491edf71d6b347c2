/**
 * Forms of access tokens that their issuers publish: a fixed prefix, then characters of a known alphabet and number. Sources of an expression
 * without flags; quantifiers are bounded, an open end stops at 255.
 */
export const TOKEN_FORMS: readonly string[] = [
  "(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}", // AWS access key id
  "AIza[\\w-]{35}", // Google API key
  "ya29\\.[\\w-]{20,255}", // Google OAuth access token
  "GOCSPX-[\\w-]{28}", // Google OAuth client secret
  "gh[pousr]_[A-Za-z0-9]{36,255}", // GitHub
  "github_pat_[A-Za-z0-9_]{22,255}",
  "gl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat)-[\\w-]{20,255}", // GitLab
  "xox[abeoprs](?:\\.xox[bp])?-[\\w-]{10,255}", // Slack
  "xapp-\\d-[\\w-]{10,255}",
  "[rsp]k_(?:live|test)_[A-Za-z0-9]{10,255}", // Stripe
  "whsec_[A-Za-z0-9+/=]{24,255}",
  "sk-ant-[a-z0-9]{3,10}-[\\w-]{20,255}", // Anthropic
  "sk-(?:proj-|svcacct-|admin-|or-v1-)?[\\w-]{20,255}", // OpenAI, OpenRouter
  "npm_[A-Za-z0-9]{36}",
  "pypi-AgE[\\w-]{50,255}",
  "hf_[A-Za-z0-9]{30,40}", // Hugging Face
  "SG\\.[\\w-]{16,32}\\.[\\w-]{16,64}", // SendGrid
  "(?:AC|SK)[0-9a-f]{32}", // Twilio
  "jvk_[A-Za-z0-9_-]{16,255}", // this system's own API keys
  "do[opr]_v1_[0-9a-f]{64}", // DigitalOcean
  "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", // Shopify
  "key-[0-9a-f]{32}", // Mailgun
  "sq0[a-z]{3}-[\\w-]{22,43}", // Square
  "dapi[0-9a-f]{32}(?:-\\d)?", // Databricks
  "lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", // Linear
  "ntn_[A-Za-z0-9]{40,60}", // Notion
  "PMAK-[0-9a-f]{24}-[0-9a-f]{34}", // Postman
  "NRAK-[A-Z0-9]{27}", // New Relic
  "gl(?:c|sa)_[A-Za-z0-9_=+/]{32,255}", // Grafana
  "hv[sb]\\.[\\w-]{24,255}", // HashiCorp Vault
  "dp\\.(?:pt|st|ct|scim|audit)\\.[\\w.-]{40,60}", // Doppler
  "sb[ps]_[a-z0-9_]{36,64}", // Supabase
  "sntry[su]_[\\w=+/]{40,255}", // Sentry
  "figd_[\\w-]{40,60}", // Figma
  "gsk_[A-Za-z0-9]{40,64}", // Groq
  "xai-[A-Za-z0-9]{60,100}",
  "r8_[A-Za-z0-9]{37,40}", // Replicate
  "pplx-[A-Za-z0-9]{40,64}", // Perplexity
  "napi_[a-z0-9]{40,80}", // Neon
  "AGE-SECRET-KEY-1[A-Z0-9]{58}",
  "EAA[A-Za-z0-9]{80,255}", // Facebook
  "\\d{8,10}:AA[\\w-]{33}", // Telegram bot
  "[\\w~.-]{3}\\dQ~[\\w~.-]{31,34}", // Azure client secret
];
